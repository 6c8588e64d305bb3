#include "text/tokenizer_json_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/tokenizer_json.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

namespace heddle::text {
namespace {

// A vocabulary as the file has it, before it is sized and indexed.
using Entries = std::vector<std::pair<std::string_view, TokenId>>;

Result<TokenId> checked_id(std::int64_t id) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= kVocabularySizeMax) {
        return corrupt_tokenizer("an id of the vocabulary is out of range");
    }
    return static_cast<TokenId>(id);
}

// An object of piece → id.
Result<Entries> read_entries(const JsonObject& model) {
    Entries entries;
    HEDDLE_TRY(const std::optional<JsonObject> vocab, json_object(model, "vocab"));
    if (!vocab) return corrupt_tokenizer("the model has no vocabulary");
    for (const auto& [piece, value] : *vocab) {
        std::int64_t number = -1;
        if (value.get(number) != simdjson::SUCCESS) {
            return corrupt_tokenizer("an id of the vocabulary is not an integer");
        }
        HEDDLE_TRY(const TokenId id, checked_id(number));
        entries.emplace_back(piece, id);
    }
    return entries;
}

std::size_t size_of(const Entries& entries) {
    std::size_t size = 0;
    for (const auto& [piece, id] : entries) size = std::max(size, static_cast<std::size_t>(id) + 1);
    return size;
}

Vocabulary make_vocabulary(const Entries& entries) {
    Vocabulary vocabulary;
    vocabulary.resize(size_of(entries));
    for (const auto& [piece, id] : entries) vocabulary.set(id, piece);
    vocabulary.build();
    return vocabulary;
}

// Pieces that are not written in the byte-level alphabet stay out: no word can match them.
Vocabulary make_byte_vocabulary(const Entries& entries) {
    Vocabulary vocabulary;
    vocabulary.resize(size_of(entries));
    for (const auto& [piece, id] : entries) {
        if (const auto bytes = byte_level_bytes(piece)) vocabulary.set(id, *bytes);
    }
    vocabulary.build();
    return vocabulary;
}

// All that ids stand for, as the file writes it.
Vocabulary make_pieces(const Entries& entries, const std::vector<AddedToken>& added) {
    Entries all = entries;
    for (const AddedToken& token : added) all.emplace_back(token.content, token.id);
    return make_vocabulary(all);
}

Result<TokenizerModelPtr> read_wordpiece(const JsonObject& model, const Entries& entries) {
    Vocabulary pieces = make_vocabulary(entries);
    WordPieceOptions options;
    HEDDLE_TRY(const std::string unknown, json_string(model, "unk_token", "[UNK]"));
    const std::optional<TokenId> id = pieces.find(unknown);
    if (!id) return corrupt_tokenizer("the vocabulary has no unknown token");
    options.unknown = *id;
    HEDDLE_TRY(options.continuing_prefix, json_string(model, "continuing_subword_prefix", "##"));
    HEDDLE_TRY(const std::int64_t longest, json_integer(model, "max_input_chars_per_word", 100));
    options.characters_max = static_cast<std::size_t>(std::max<std::int64_t>(longest, 0));
    return std::make_unique<WordPiece>(std::move(pieces), options);
}

Result<BpeOptions> read_bpe_options(const JsonObject& model, const Vocabulary& pieces) {
    BpeOptions options;
    HEDDLE_TRY(options.ignore_merges, json_bool(model, "ignore_merges", false));
    HEDDLE_TRY(options.byte_fallback, json_bool(model, "byte_fallback", false));
    HEDDLE_TRY(options.fuse_unknown, json_bool(model, "fuse_unk", false));
    HEDDLE_TRY(options.continuing_prefix, json_string(model, "continuing_subword_prefix", ""));
    HEDDLE_TRY(options.end_suffix, json_string(model, "end_of_word_suffix", ""));
    HEDDLE_TRY(const std::string unknown, json_string(model, "unk_token", ""));
    if (!unknown.empty()) options.unknown = pieces.find(unknown);
    return options;
}

// "left right" or ["left", "right"]
Result<std::pair<std::string_view, std::string_view>> read_merge(const JsonElement& element) {
    std::string_view line;
    if (element.get(line) == simdjson::SUCCESS) {
        const std::size_t space = line.find(' ');
        if (space == line.npos) return corrupt_tokenizer("a merge has no space");
        return std::pair(line.substr(0, space), line.substr(space + 1));
    }
    JsonArray pair;
    std::string_view left;
    std::string_view right;
    if (element.get(pair) != simdjson::SUCCESS || pair.at(0).get(left) != simdjson::SUCCESS ||
        pair.at(1).get(right) != simdjson::SUCCESS) {
        return corrupt_tokenizer("a merge is not a pair of strings");
    }
    return std::pair(left, right);
}

// Merges name pieces as the file writes them, hence `pieces` is the vocabulary written so.
Result<std::vector<BpeMerge>> read_merges(const JsonObject& model, const Vocabulary& pieces,
                                          const std::string& continuing_prefix) {
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(model, "merges"));
    if (!list) return corrupt_tokenizer("the model has no merges");
    std::vector<BpeMerge> merges;
    std::string merged;
    for (const JsonElement element : *list) {
        HEDDLE_TRY(const auto pair, read_merge(element));
        const auto [left, right] = pair;
        std::string_view tail = right;
        if (!continuing_prefix.empty() && tail.starts_with(continuing_prefix)) {
            tail.remove_prefix(continuing_prefix.size());
        }
        merged.assign(left).append(tail);
        const std::optional<TokenId> left_id = pieces.find(left);
        const std::optional<TokenId> right_id = pieces.find(right);
        const std::optional<TokenId> merged_id = pieces.find(merged);
        if (!left_id || !right_id || !merged_id) {
            return corrupt_tokenizer("a merge names a piece that is not in the vocabulary");
        }
        const auto rank = static_cast<std::uint32_t>(merges.size());
        merges.push_back({*left_id, *right_id, rank, *merged_id});
    }
    return merges;
}

Result<TokenizerModelPtr> read_bpe(const JsonObject& model, const Entries& entries,
                                   bool byte_level) {
    Vocabulary pieces = make_vocabulary(entries);
    HEDDLE_TRY(BpeOptions options, read_bpe_options(model, pieces));
    HEDDLE_TRY(const std::vector<BpeMerge> merges,
               read_merges(model, pieces, options.continuing_prefix));
    options.byte_level = byte_level;
    if (byte_level) {
        if (!options.continuing_prefix.empty() || !options.end_suffix.empty()) {
            return corrupt_tokenizer("a byte-level model has prefixes or suffixes");
        }
        pieces = make_byte_vocabulary(entries);
    }
    return std::make_unique<Bpe>(std::move(pieces), merges, std::move(options));
}

// An array of [piece, score].
Result<Entries> read_scored_entries(const JsonObject& model, std::vector<double>& scores) {
    HEDDLE_TRY(const std::optional<JsonArray> vocab, json_array(model, "vocab"));
    if (!vocab) return corrupt_tokenizer("the model has no vocabulary");
    Entries entries;
    for (const JsonElement element : *vocab) {
        JsonArray pair;
        std::string_view piece;
        double score = 0;
        if (element.get(pair) != simdjson::SUCCESS || pair.at(0).get(piece) != simdjson::SUCCESS ||
            pair.at(1).get(score) != simdjson::SUCCESS || std::isnan(score)) {
            return corrupt_tokenizer("an entry of the vocabulary is not a piece and its score");
        }
        HEDDLE_TRY(const TokenId id, checked_id(static_cast<std::int64_t>(entries.size())));
        entries.emplace_back(piece, id);
        scores.push_back(score);
    }
    return entries;
}

Result<TokenizerModelPtr> read_unigram(const JsonObject& model, const Entries& entries,
                                       std::vector<double> scores) {
    UnigramOptions options;
    HEDDLE_TRY(const std::int64_t unknown, json_integer(model, "unk_id", -1));
    if (unknown >= static_cast<std::int64_t>(entries.size())) {
        return corrupt_tokenizer("\"unk_id\" is out of range");
    }
    if (unknown >= 0) options.unknown = static_cast<TokenId>(unknown);
    HEDDLE_TRY(options.byte_fallback, json_bool(model, "byte_fallback", false));
    return std::make_unique<Unigram>(make_vocabulary(entries), std::move(scores), options);
}

}  // namespace

Result<void> read_model(const JsonObject& root, const std::vector<AddedToken>& added,
                        bool byte_level, TokenizerParts& parts) {
    HEDDLE_TRY(const std::optional<JsonObject> model, json_object(root, "model"));
    if (!model) return corrupt_tokenizer("\"model\" is missing");
    HEDDLE_TRY(const std::string type, json_string(*model, "type", ""));
    if (type == "Unigram") {
        std::vector<double> scores;
        HEDDLE_TRY(const Entries entries, read_scored_entries(*model, scores));
        parts.pieces = make_pieces(entries, added);
        HEDDLE_TRY(parts.model, read_unigram(*model, entries, std::move(scores)));
        return {};
    }
    HEDDLE_TRY(const Entries entries, read_entries(*model));
    parts.pieces = make_pieces(entries, added);
    if (type == "WordPiece") {
        HEDDLE_TRY(parts.model, read_wordpiece(*model, entries));
    } else if (type == "BPE" || json_field(*model, "merges")) {
        HEDDLE_TRY(parts.model, read_bpe(*model, entries, byte_level));
    } else {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("tokenizer.json: models of type \"{}\" are not supported", type));
    }
    return {};
}

}  // namespace heddle::text
