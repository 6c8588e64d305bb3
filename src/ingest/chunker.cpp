#include "ingest/chunker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "ingest/clean.h"
#include "ingest/laid_out.h"
#include "ingest/packing.h"
#include "ingest/recursive_chunker.h"
#include "text/sentences.h"
#include "text/utf8.h"

namespace heddle::ingest {
namespace {

constexpr std::size_t kContextShare = 4;  // title and headings take at most one part in four
constexpr std::size_t kTokensLeast = 16;
constexpr std::size_t kTokensMost = 8192;
constexpr std::size_t kCharactersLeast = 32;
constexpr std::size_t kCharactersMost = 100'000;

class Chunker {
public:
    Chunker(const ParsedDocument& document, std::string_view name, const ChunkerConfig& config,
            EmbedderLimit limit, const CountTokens& count_tokens)
        : config_(config),
          tokens_max_(std::min(config.tokens, limit.tokens)),
          count_tokens_(count_tokens),
          source_(lay_out(document)),
          characters_(source_.text),
          title_(document.title.empty() ? std::string(name) : document.title) {}

    std::vector<Chunk> run() {
        begin_section();
        for (const PlacedBlock& placed : source_.blocks) {
            if (placed.block->kind == BlockKind::kHeading)
                add_heading(placed);
            else
                add_text(placed);
        }
        close();
        if (chunks_.empty()) add_headings_as_text();
        return std::move(chunks_);
    }

private:
    // A heading ends the chunk before it, unless that is still short; then it is part of the text.
    void add_heading(const PlacedBlock& placed) {
        const Block& block = *placed.block;
        if (open_tokens_ >= config_.tokens_min) close();
        headings_.enter(block);
        if (pieces_.empty())
            begin_section();
        else
            add_piece(placed.begin, placed.begin + block.text.size());
    }

    void add_text(const PlacedBlock& placed) {
        const Block& block = *placed.block;
        const bool running_text =
            block.kind == BlockKind::kParagraph || block.kind == BlockKind::kListItem;
        if (!running_text) {
            add_piece(placed.begin, placed.begin + block.text.size());
            return;
        }
        for (const text::ByteRange sentence : text::split_sentences(block.text))
            add_piece(placed.begin + sentence.begin, placed.begin + sentence.end);
    }

    void add_piece(std::size_t begin, std::size_t end) {
        const std::string_view text = std::string_view(source_.text).substr(begin, end - begin);
        const std::size_t tokens = count_tokens_(text);
        if (tokens <= budget_) {
            pack({begin, end, tokens});
            return;
        }
        for (const Piece& piece : split_at_words(source_.text, begin, end, budget_, count_tokens_))
            pack(piece);
    }

    void pack(const Piece& piece) {
        if (!pieces_.empty() && open_tokens_ + piece.tokens > budget_) close();
        pieces_.push_back(piece);
        open_tokens_ += piece.tokens;
    }

    // What stands in front of the chunks to come, and the tokens that are left beside it.
    void begin_section() {
        path_ = headings_.text();
        const std::size_t share = tokens_max_ / kContextShare;
        context_.clear();
        if (config_.embed_context) context_ = headings_.context(title_, share, count_tokens_);
        budget_ = tokens_max_ - std::min(share, count_tokens_(context_));
    }

    // Ends the open chunk. The tokens of the whole are counted once more: pieces that do not fit
    // after all begin the next chunk.
    void close() {
        std::vector<Piece> pieces = std::exchange(pieces_, {});
        open_tokens_ = 0;
        while (!pieces.empty()) {
            std::size_t taken = pieces.size();
            std::string embedded = embedded_text(pieces, taken);
            while (taken > 1 && count_tokens_(embedded) > tokens_max_)
                embedded = embedded_text(pieces, --taken);
            emit(pieces.front().begin, pieces[taken - 1].end, std::move(embedded));
            pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(taken));
        }
        begin_section();
    }

    [[nodiscard]] std::string embedded_text(const std::vector<Piece>& pieces,
                                            std::size_t count) const {
        const std::size_t begin = pieces.front().begin;
        return context_ + source_.text.substr(begin, pieces[count - 1].end - begin);
    }

    void emit(std::size_t begin, std::size_t end, std::string embedded) {
        if (count_tokens_(embedded) > tokens_max_) embedded.erase(0, context_.size());
        Chunk chunk{.text = source_.text.substr(begin, end - begin),
                    .embedded = std::move(embedded),
                    .heading_path = path_};
        chunk.char_start = characters_.at(begin);
        chunk.char_end = characters_.at(end);
        add_lines(chunk, source_, begin, end, next_line_);
        chunks_.push_back(std::move(chunk));
    }

    // A document of nothing but headings (slides) is made of them.
    void add_headings_as_text() {
        headings_.clear();
        begin_section();
        for (const PlacedBlock& placed : source_.blocks)
            add_piece(placed.begin, placed.begin + placed.block->text.size());
        close();
    }

    const ChunkerConfig config_;
    const std::size_t tokens_max_;
    const CountTokens& count_tokens_;
    const LaidOut source_;
    CharacterCounter characters_;
    const std::string title_;

    HeadingPath headings_;
    std::string path_;
    std::string context_;
    std::size_t budget_ = 0;
    std::vector<Piece> pieces_;  // of the open chunk
    std::size_t open_tokens_ = 0;
    std::size_t next_line_ = 0;
    std::vector<Chunk> chunks_;
};

// The chapter's way: the cleaned text in pieces of so many characters. Pieces that an embedder
// would cut are divided at words.
class CharacterChunker {
public:
    CharacterChunker(const ParsedDocument& document, const ChunkerConfig& config,
                     EmbedderLimit limit, const CountTokens& count_tokens)
        : piece_characters_(config.characters),
          tokens_max_(limit.tokens),
          count_tokens_(count_tokens),
          source_(lay_out(document)),
          characters_(source_.text) {}

    std::vector<Chunk> run() {
        std::size_t begin = 0;
        while (begin < source_.text.size()) {
            std::size_t end = begin;
            for (std::size_t i = 0; i < piece_characters_ && end < source_.text.size(); ++i)
                end += text::decode_utf8(source_.text, end).length;
            for (const Piece& piece :
                 split_at_words(source_.text, begin, end, tokens_max_, count_tokens_))
                emit(piece);
            begin = end;
        }
        return std::move(chunks_);
    }

private:
    void emit(const Piece& piece) {
        const std::string_view raw =
            std::string_view(source_.text).substr(piece.begin, piece.end - piece.begin);
        Chunk chunk{.text = clean_as_chapter(raw)};
        // Cleaning joins what stood apart, which can count more.
        if (count_tokens_(chunk.text) > tokens_max_) chunk.text = raw;
        if (chunk.text.empty()) return;
        chunk.embedded = chunk.text;
        chunk.char_start = characters_.at(piece.begin);
        chunk.char_end = characters_.at(piece.end);
        while (line_ < source_.lines.size() && source_.lines[line_].end <= piece.begin) ++line_;
        for (std::size_t i = line_; i < source_.lines.size() && source_.lines[i].begin < piece.end;
             ++i)
            chunk.lines.push_back({source_.lines[i].page, 0, source_.lines[i].box});
        if (!chunk.lines.empty()) {
            chunk.page_start = chunk.lines.front().page;
            chunk.page_end = chunk.lines.back().page;
        }
        chunks_.push_back(std::move(chunk));
    }

    const std::size_t piece_characters_;
    const std::size_t tokens_max_;
    const CountTokens& count_tokens_;
    const LaidOut source_;
    CharacterCounter characters_;
    std::size_t line_ = 0;
    std::vector<Chunk> chunks_;
};

bool read_number(std::string_view text, std::size_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<ChunkerConfig> parse_chunker(std::string_view text) {
    ChunkerConfig config;
    const std::size_t colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    const bool numbered = colon != std::string_view::npos;
    std::string_view number = numbered ? text.substr(colon + 1) : std::string_view();
    bool ok = false;
    if (kind == "sentences") {
        ok = (!numbered || read_number(number, config.tokens)) && config.tokens >= kTokensLeast &&
             config.tokens <= kTokensMost;
        config.tokens_min = std::min(config.tokens_min, config.tokens / 2);
    } else if (kind == "recursive") {
        config.kind = ChunkerKind::kRecursive;
        const std::size_t second = number.find(':');
        ok = second == std::string_view::npos ||
             read_number(number.substr(second + 1), config.overlap);
        number = number.substr(0, second);
        ok = ok && (!numbered || read_number(number, config.tokens)) &&
             config.tokens >= kTokensLeast && config.tokens <= kTokensMost &&
             config.overlap <= config.tokens / 2;
    } else if (kind == "chars") {
        config.kind = ChunkerKind::kCharacters;
        ok = (!numbered || read_number(number, config.characters)) &&
             config.characters >= kCharactersLeast && config.characters <= kCharactersMost;
    }
    if (ok) return config;
    return fail(
        Error(ErrorCode::kInvalidArgument,
              fmt::format("chunker must be sentences[:{0}…{1}], recursive[:{0}…{1}[:overlap, "
                          "at most half]] or chars[:{2}…{3}]",
                          kTokensLeast, kTokensMost, kCharactersLeast, kCharactersMost))
            .with_param("chunker"));
}

std::string document_text(const ParsedDocument& document) {
    return lay_out(document).text;
}

std::vector<Chunk> chunk_document(const ParsedDocument& document, std::string_view name,
                                  const ChunkerConfig& config, EmbedderLimit limit,
                                  const CountTokens& count_tokens) {
    if (config.kind == ChunkerKind::kRecursive)
        return chunk_recursively(document, name, config, limit, count_tokens);
    if (config.kind == ChunkerKind::kCharacters)
        return CharacterChunker(document, config, limit, count_tokens).run();
    return Chunker(document, name, config, limit, count_tokens).run();
}

}  // namespace heddle::ingest
