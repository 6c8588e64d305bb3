#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "text/byte_level.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace heddle::text {

// The state of one encode(): what was found so far.
struct Tokenizer::Pass {
    bool tracked = false;
    std::vector<TokenId> ids;
    std::vector<ByteRange> ranges;  // of tracked passes
    std::vector<Token> tokens;      // of the segment at hand
};

Tokenizer::Tokenizer(std::unique_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {
    HEDDLE_CHECK(parts_ != nullptr && parts_->model != nullptr, "a tokenizer has a model");
}

Tokenizer::~Tokenizer() = default;

void Tokenizer::run(std::string_view text, EncodeOptions options, Pass& pass) const {
    if (text.empty()) return;
    for (const AddedTokens::Part& part : parts_->added.split_written(text, options.parse_special)) {
        if (part.id >= 0) {
            pass.ids.push_back(part.id);
            if (pass.tracked) pass.ranges.push_back(part.range);
        } else {
            run_segment(text.substr(part.range.begin, part.range.size()), part.range.begin, options,
                        pass);
        }
    }
}

void Tokenizer::run_segment(std::string_view text, std::uint32_t origin, EncodeOptions options,
                            Pass& pass) const {
    WorkingText working(text, origin, pass.tracked);
    if (parts_->normalizer != nullptr) parts_->normalizer->apply(working);
    PreTokenized pretokenized = {std::move(working), {}};
    const auto parts =
        parts_->added.split_normalized(pretokenized.text.text(), options.parse_special);
    if (parts.size() == 1 && parts.front().id < 0) {
        pretokenized.words.push_back(parts.front().range);
        run_words(std::move(pretokenized), pass);
        return;
    }
    for (const AddedTokens::Part& part : parts) {
        if (part.id >= 0) {
            pass.ids.push_back(part.id);
            if (pass.tracked) pass.ranges.push_back(pretokenized.text.source(part.range));
        } else {
            run_words({pretokenized.text.cut(part.range), {{0, part.range.size()}}}, pass);
        }
    }
}

void Tokenizer::run_words(PreTokenized pretokenized, Pass& pass) const {
    if (parts_->pretokenizer != nullptr) parts_->pretokenizer->apply(pretokenized);
    const std::string_view text = pretokenized.text.text();
    pass.tokens.clear();
    for (const ByteRange word : pretokenized.words) {
        parts_->model->tokenize(text.substr(word.begin, word.size()), word.begin, pass.tokens);
    }
    for (const Token& token : pass.tokens) {
        pass.ids.push_back(token.id);
        if (pass.tracked) pass.ranges.push_back(pretokenized.text.source(token.range));
    }
}

namespace {

// The text itself where it is UTF-8, else a repaired copy kept in `copy`.
std::string_view well_formed(std::string_view text, std::string& copy) {
    if (is_valid_utf8(text)) return text;
    copy = to_valid_utf8(text);
    return copy;
}

// Ranges in a repaired text to ranges in the text as it was: each ill-formed part became the
// three bytes of U+FFFD. `ranges` need not rise.
void map_to_original(std::string_view original, std::vector<ByteRange>& ranges) {
    std::vector<std::uint32_t> places;  // of each byte of the repaired text
    for (std::size_t i = 0; i < original.size();) {
        const Utf8Character c = decode_utf8(original, i);
        const std::size_t width = c.well_formed ? c.length : kReplacementUtf8.size();
        for (std::size_t k = 0; k < width; ++k) {
            places.push_back(static_cast<std::uint32_t>(c.well_formed ? i + k : i));
        }
        i += c.length;
    }
    places.push_back(static_cast<std::uint32_t>(original.size()));
    for (ByteRange& range : ranges) range = {places[range.begin], places[range.end]};
}

void widen_to_characters(std::string_view text, std::vector<ByteRange>& ranges) {
    for (ByteRange& range : ranges) {
        range.begin = static_cast<std::uint32_t>(floor_utf8(text, range.begin));
        const std::size_t floor = floor_utf8(text, range.end);
        if (floor == range.end) continue;
        range.end = static_cast<std::uint32_t>(floor + decode_utf8(text, floor).length);
    }
}

}  // namespace

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
    std::string copy;
    text = well_formed(text, copy);
    Pass pass;
    if (!options.add_special) {
        run(text, options, pass);
        return std::move(pass.ids);
    }
    for (const PostTemplate::Step& step : parts_->post.single) {
        if (step.source == PostTemplate::Source::kSpecial) {
            pass.ids.insert(pass.ids.end(), step.special.begin(), step.special.end());
        } else {
            run(text, options, pass);
        }
    }
    return std::move(pass.ids);
}

std::size_t Tokenizer::count(std::string_view text, EncodeOptions options) const {
    return encode(text, options).size();
}

void Tokenizer::run_steps(const std::vector<PostTemplate::Step>& steps, std::string_view first,
                          std::string_view second, EncodeOptions options, Encoding& out) const {
    for (const PostTemplate::Step& step : steps) {
        if (step.source == PostTemplate::Source::kSpecial) {
            if (!options.add_special) continue;
            out.ids.insert(out.ids.end(), step.special.begin(), step.special.end());
            out.ranges.resize(out.ids.size());
        } else {
            const bool is_first = step.source == PostTemplate::Source::kFirst;
            const std::string_view original = is_first ? first : second;
            std::string copy;
            const std::string_view text = well_formed(original, copy);
            Pass pass;
            pass.tracked = true;
            run(text, options, pass);
            widen_to_characters(text, pass.ranges);
            if (!copy.empty()) map_to_original(original, pass.ranges);
            out.ids.insert(out.ids.end(), pass.ids.begin(), pass.ids.end());
            out.ranges.insert(out.ranges.end(), pass.ranges.begin(), pass.ranges.end());
        }
        out.type_ids.resize(out.ids.size(), step.type_id);
    }
}

Encoding Tokenizer::encode_with_ranges(std::string_view text, EncodeOptions options) const {
    Encoding out;
    run_steps(parts_->post.single, text, {}, options, out);
    return out;
}

Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                EncodeOptions options) const {
    Encoding out;
    run_steps(parts_->post.pair, first, second, options, out);
    return out;
}

std::size_t Tokenizer::added_special_count(bool pair) const {
    std::size_t count = 0;
    for (const PostTemplate::Step& step : pair ? parts_->post.pair : parts_->post.single) {
        count += step.special.size();
    }
    return count;
}

// What a token is to the decoder.
std::string_view Tokenizer::decoded_piece(TokenId id) const {
    const std::string_view added = parts_->added.decoded(id);
    return added.empty() ? piece(id) : added;
}

std::string Tokenizer::decode_pieces(std::vector<std::string> pieces) const {
    if (parts_->decoder != nullptr) parts_->decoder->apply(pieces);
    std::string text;
    for (const std::string& part : pieces) {
        if (parts_->decoder == nullptr && !text.empty()) text += ' ';
        text += part;
    }
    return text;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
    std::vector<std::string> pieces;
    pieces.reserve(ids.size());
    for (const TokenId id : ids) {
        const std::string_view bytes = decoded_piece(id);
        if (bytes.empty() || (skip_special && is_special(id))) continue;
        pieces.emplace_back(bytes);
    }
    const std::string text = decode_pieces(std::move(pieces));
    return is_valid_utf8(text) ? text : to_valid_utf8(text);
}

std::string_view Tokenizer::piece(TokenId id) const {
    return parts_->pieces.piece(id);
}

std::string Tokenizer::token_bytes(TokenId id) const {
    if (is_special(id) || piece(id).empty()) return {};
    if (const auto byte = fallback_byte(id)) return std::string(1, static_cast<char>(*byte));
    return decode_before_x({"x", std::string(decoded_piece(id)), "x"}).substr(1);
}

std::string Tokenizer::first_token_bytes(TokenId id) const {
    if (is_special(id) || piece(id).empty()) return {};
    if (const auto byte = fallback_byte(id)) return std::string(1, static_cast<char>(*byte));
    return decode_before_x({std::string(decoded_piece(id)), "x"});
}

// The text of pieces that end with "x" without that and the space it may bring along: decoders
// treat what comes first and last apart.
std::string Tokenizer::decode_before_x(std::vector<std::string> pieces) const {
    const std::size_t tail = decode_pieces({"x", "x"}).size() - 1;
    std::string text = decode_pieces(std::move(pieces));
    text.resize(text.size() - std::min(tail, text.size()));
    return text;
}

// The byte of a <0x..> piece where the decoder reads it as one. On its own it need not be UTF-8,
// and the decoder would replace it.
std::optional<unsigned char> Tokenizer::fallback_byte(TokenId id) const {
    const auto byte = byte_of_piece(piece(id));
    if (!byte) return std::nullopt;
    const std::string text = decode_pieces({"x", std::string(piece(id)), "x"});
    return text.find(piece(id)) == text.npos ? byte : std::nullopt;
}

std::optional<TokenId> Tokenizer::find(std::string_view piece) const {
    return parts_->pieces.find(piece);
}

std::size_t Tokenizer::vocab_size() const {
    return parts_->pieces.size();
}

const SpecialIds& Tokenizer::special() const {
    return parts_->special;
}

bool Tokenizer::is_special(TokenId id) const {
    return parts_->added.is_special(id);
}

}  // namespace heddle::text
