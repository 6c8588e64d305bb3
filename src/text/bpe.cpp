#include "text/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <queue>
#include <utility>

#include "base/check.h"
#include "text/hash.h"
#include "text/metaspace.h"
#include "text/utf8.h"

namespace heddle::text {

// A part of a word on its way to a token. `rank` is that of its merge with the next one.
struct Bpe::Symbol {
    TokenId id = 0;
    std::uint32_t length = 0;  // bytes of the word; 0 once merged into the one before
    std::uint32_t rank = kNoRank;
    TokenId merged = 0;

    static constexpr std::uint32_t kNoRank = ~std::uint32_t{0};
};

namespace {

// Up to here a scan for the lowest rank beats a heap.
constexpr std::size_t kScanSymbolsMax = 48;

std::uint64_t pair_key(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
}

}  // namespace

Bpe::Bpe(Vocabulary pieces, const std::vector<BpeMerge>& merges, BpeOptions options)
    : pieces_(std::move(pieces)), options_(std::move(options)), whole_(pieces_.size()) {
    add_merges(merges);
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        of_byte_[byte] = pieces_.find({&c, 1}).value_or(-1);
        fallback_[byte] = pieces_.find(fmt::format("<0x{:02X}>", byte)).value_or(-1);
    }
    find_break();
}

void Bpe::add_merges(const std::vector<BpeMerge>& merges) {
    merges_.resize(std::bit_ceil(merges.size() * 2 + 1));
    const std::size_t mask = merges_.size() - 1;
    for (const BpeMerge& merge : merges) {
        HEDDLE_CHECK(pieces_.contains(merge.left) && pieces_.contains(merge.right) &&
                         pieces_.contains(merge.merged),
                     "the loader checks the ids of merges");
        const std::uint64_t key = pair_key(merge.left, merge.right);
        std::size_t slot = mix(key) & mask;
        while (merges_[slot].pair != kNoPair && merges_[slot].pair != key) slot = (slot + 1) & mask;
        merges_[slot] = {key, merge.rank, merge.merged};
    }
}

const Bpe::Merge* Bpe::find_merge(TokenId left, TokenId right) const {
    const std::uint64_t key = pair_key(left, right);
    const std::size_t mask = merges_.size() - 1;
    for (std::size_t slot = mix(key) & mask;; slot = (slot + 1) & mask) {
        if (merges_[slot].pair == key) return &merges_[slot];
        if (merges_[slot].pair == kNoPair) return nullptr;
    }
}

// SentencePiece vocabularies come without a pre-tokenizer: a whole text is one word. Where no piece
// has a metaspace behind another character, nothing merges across such a place, and the text may
// be cut there without any effect but speed.
void Bpe::find_break() {
    if (options_.byte_level || !options_.continuing_prefix.empty() ||
        !options_.end_suffix.empty() || options_.ignore_merges || !pieces_.find(kMetaspace)) {
        return;
    }
    for (const Merge& merge : merges_) {
        if (merge.pair == kNoPair) continue;
        const std::string_view piece = pieces_.piece(merge.merged);
        std::size_t i = 0;
        while (piece.substr(i).starts_with(kMetaspace)) i += kMetaspace.size();
        if (piece.find(kMetaspace, i) != piece.npos) return;
    }
    breaks_at_metaspace_ = true;
}

void Bpe::tokenize(std::string_view word, std::uint32_t offset, std::vector<Token>& out) const {
    if (!breaks_at_metaspace_) return tokenize_chunk(word, offset, out);
    std::size_t begin = 0;
    while (begin < word.size()) {
        std::size_t end = begin;
        while (word.substr(end).starts_with(kMetaspace)) end += kMetaspace.size();
        end = std::min(word.find(kMetaspace, end), word.size());
        tokenize_chunk(word.substr(begin, end - begin), offset + static_cast<std::uint32_t>(begin),
                       out);
        begin = end;
    }
}

void Bpe::tokenize_chunk(std::string_view word, std::uint32_t offset,
                         std::vector<Token>& out) const {
    const std::optional<TokenId> id = pieces_.find(word);
    if (id && (options_.ignore_merges || is_whole(*id, word))) {
        out.push_back({*id, {offset, offset + static_cast<std::uint32_t>(word.size())}});
        return;
    }
    std::array<WordPart, WordCache::kPartsMax> parts;
    const std::size_t known = words_.find(word, parts);
    for (std::size_t i = 0; i < known; ++i) {
        out.push_back({parts[i].id, {offset, offset + parts[i].bytes}});
        offset += parts[i].bytes;
    }
    if (known > 0) return;
    const std::size_t first = out.size();
    merge_word(word, offset, out);
    remember(word, offset, std::span(out).subspan(first));
}

// Only words whose tokens cover them from end to end: what is unknown may have been dropped.
void Bpe::remember(std::string_view word, std::uint32_t offset,
                   std::span<const Token> tokens) const {
    if (tokens.empty() || tokens.size() > WordCache::kPartsMax ||
        word.size() > WordCache::kBytesMax) {
        return;
    }
    std::array<WordPart, WordCache::kPartsMax> parts;
    std::uint32_t at = offset;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].range.begin != at) return;
        at = tokens[i].range.end;
        parts[i] = {tokens[i].id, static_cast<std::uint8_t>(at - tokens[i].range.begin)};
    }
    if (at == offset + word.size()) words_.keep(word, std::span(parts).first(tokens.size()));
}

bool Bpe::is_whole(TokenId id, std::string_view word) const {
    std::atomic<Whole>& known = whole_[static_cast<std::size_t>(id)];
    Whole whole = known.load(std::memory_order_relaxed);
    if (whole == Whole::kUnknown) {
        std::vector<Token> tokens;
        merge_word(word, 0, tokens);
        whole = tokens.size() == 1 && tokens.front().id == id ? Whole::kYes : Whole::kNo;
        known.store(whole, std::memory_order_relaxed);
    }
    return whole == Whole::kYes;
}

void Bpe::merge_word(std::string_view word, std::uint32_t offset, std::vector<Token>& out) const {
    std::vector<Symbol> symbols;
    symbols.reserve(word.size());
    split_symbols(word, symbols);
    if (symbols.size() <= kScanSymbolsMax) {
        merge_by_scan(symbols);
    } else {
        merge_by_heap(symbols);
    }
    for (const Symbol& symbol : symbols) {
        if (symbol.length == 0) continue;
        out.push_back({symbol.id, {offset, offset + symbol.length}});
        offset += symbol.length;
    }
}

void Bpe::split_symbols(std::string_view word, std::vector<Symbol>& symbols) const {
    if (options_.byte_level) {
        for (const char c : word) {
            const TokenId id = of_byte_[static_cast<unsigned char>(c)];
            if (id >= 0) {
                symbols.push_back({.id = id, .length = 1});
            } else if (options_.unknown) {
                symbols.push_back({.id = *options_.unknown, .length = 1});
            }
        }
        return;
    }
    for (std::size_t i = 0; i < word.size();) {
        const std::size_t end = i + decode_utf8(word, i).length;
        split_character(word, i, end, symbols);
        i = end;
    }
}

void Bpe::split_character(std::string_view word, std::size_t begin, std::size_t end,
                          std::vector<Symbol>& symbols) const {
    const auto length = static_cast<std::uint32_t>(end - begin);
    const std::string_view bytes = word.substr(begin, length);
    const bool prefixed = begin > 0 && !options_.continuing_prefix.empty();
    const bool suffixed = end == word.size() && !options_.end_suffix.empty();
    std::optional<TokenId> id;
    if (prefixed || suffixed) {
        std::string piece(bytes);
        if (prefixed) piece.insert(0, options_.continuing_prefix);
        if (suffixed) piece += options_.end_suffix;
        id = pieces_.find(piece);
    } else if (length == 1) {
        const TokenId known = of_byte_[static_cast<unsigned char>(bytes[0])];
        if (known >= 0) id = known;
    } else {
        id = pieces_.find(bytes);
    }
    if (id) {
        symbols.push_back({.id = *id, .length = length});
        return;
    }
    const auto fallback = [this](char c) { return fallback_[static_cast<unsigned char>(c)]; };
    if (options_.byte_fallback &&
        std::ranges::all_of(bytes, [&](char c) { return fallback(c) >= 0; })) {
        for (const char c : bytes) symbols.push_back({.id = fallback(c), .length = 1});
    } else if (options_.unknown) {
        const bool fuses =
            options_.fuse_unknown && !symbols.empty() && symbols.back().id == *options_.unknown;
        if (fuses) {
            symbols.back().length += length;
        } else {
            symbols.push_back({.id = *options_.unknown, .length = length});
        }
    }
}

void Bpe::merge_by_scan(std::vector<Symbol>& symbols) const {
    const auto rank_at = [&](std::size_t i) {
        if (i + 1 >= symbols.size()) {
            symbols[i].rank = Symbol::kNoRank;
            return;
        }
        const Merge* merge = find_merge(symbols[i].id, symbols[i + 1].id);
        symbols[i].rank = merge == nullptr ? Symbol::kNoRank : merge->rank;
        symbols[i].merged = merge == nullptr ? 0 : merge->merged;
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) rank_at(i);
    while (symbols.size() > 1) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < symbols.size(); ++i) {
            if (symbols[i].rank < symbols[best].rank) best = i;
        }
        if (symbols[best].rank == Symbol::kNoRank) return;
        symbols[best].id = symbols[best].merged;
        symbols[best].length += symbols[best + 1].length;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
        rank_at(best);
        if (best > 0) rank_at(best - 1);
    }
}

void Bpe::merge_by_heap(std::vector<Symbol>& symbols) const {
    struct Entry {
        std::uint32_t rank;
        std::uint32_t position;
        TokenId left, right, merged;
        bool operator>(const Entry& other) const {
            return std::pair(rank, position) > std::pair(other.rank, other.position);
        }
    };
    constexpr std::uint32_t kNone = ~std::uint32_t{0};
    const auto size = static_cast<std::uint32_t>(symbols.size());
    std::vector<std::uint32_t> next(size);
    std::vector<std::uint32_t> previous(size);
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    const auto push = [&](std::uint32_t left, std::uint32_t right) {
        const Merge* merge = find_merge(symbols[left].id, symbols[right].id);
        if (merge == nullptr) return;
        queue.push({merge->rank, left, symbols[left].id, symbols[right].id, merge->merged});
    };
    for (std::uint32_t i = 0; i < size; ++i) {
        previous[i] = i == 0 ? kNone : i - 1;
        next[i] = i + 1 == size ? kNone : i + 1;
        if (next[i] != kNone) push(i, next[i]);
    }
    while (!queue.empty()) {
        const Entry top = queue.top();
        queue.pop();
        Symbol& left = symbols[top.position];
        const std::uint32_t right_at = next[top.position];
        // Entries are not taken back when what they name has merged; they no longer fit then.
        if (left.length == 0 || right_at == kNone || left.id != top.left ||
            symbols[right_at].id != top.right) {
            continue;
        }
        left.id = top.merged;
        left.length += symbols[right_at].length;
        symbols[right_at].length = 0;
        next[top.position] = next[right_at];
        if (next[right_at] != kNone) previous[next[right_at]] = top.position;
        if (previous[top.position] != kNone) push(previous[top.position], top.position);
        if (next[top.position] != kNone) push(top.position, next[top.position]);
    }
}

}  // namespace heddle::text
