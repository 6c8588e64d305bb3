#include "text/tokenizer_json_stages.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "text/metaspace.h"
#include "text/precompiled_normalizer.h"
#include "text/regex.h"
#include "text/split_pattern.h"

namespace heddle::text {

Result<JsonStage> read_stage(const JsonElement& element, std::string_view kind) {
    JsonStage stage;
    if (element.get(stage.object) != simdjson::SUCCESS) {
        return corrupt_tokenizer(fmt::format("the {} is not an object", kind));
    }
    HEDDLE_TRY(stage.type, json_string(stage.object, "type", ""));
    return stage;
}

tl::unexpected<Error> unknown_stage(std::string_view kind, std::string_view type) {
    return fail(ErrorCode::kUnimplemented,
                fmt::format("tokenizer.json: a {} of type \"{}\" is not supported", kind, type));
}

namespace {

// The parts of a Sequence, read one by one with `read`.
template <class Pointer, class Read>
Result<std::vector<Pointer>> read_parts(const JsonStage& stage, std::string_view field,
                                        const Read& read) {
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(stage.object, field));
    std::vector<Pointer> parts;
    if (!list) return parts;
    for (const JsonElement element : *list) {
        HEDDLE_TRY(Pointer part, read(std::optional<JsonElement>(element)));
        if (part != nullptr) parts.push_back(std::move(part));
    }
    return parts;
}

Result<NormalizerPtr> read_bert_normalizer(const JsonObject& object) {
    BertNormalizerOptions options;
    HEDDLE_TRY(options.clean_text, json_bool(object, "clean_text", true));
    HEDDLE_TRY(options.handle_chinese_chars, json_bool(object, "handle_chinese_chars", true));
    HEDDLE_TRY(options.lowercase, json_bool(object, "lowercase", true));
    HEDDLE_TRY(options.strip_accents, json_bool(object, "strip_accents", options.lowercase));
    return make_bert_normalizer(options);
}

// {"String": "…"} or {"Regex": "…"}
struct JsonPattern {
    std::string text;
    bool is_regex = false;
};

Result<JsonPattern> read_pattern(const JsonObject& object) {
    HEDDLE_TRY(const std::optional<JsonObject> pattern, json_object(object, "pattern"));
    if (!pattern) return corrupt_tokenizer("a pattern is missing");
    const bool is_regex = json_field(*pattern, "Regex").has_value();
    HEDDLE_TRY(std::string text, json_string(*pattern, is_regex ? "Regex" : "String", ""));
    if (text.empty()) return corrupt_tokenizer("a pattern is empty");
    return JsonPattern{std::move(text), is_regex};
}

// The field as a count that fits its purpose.
Result<std::size_t> read_count(const JsonObject& object, std::string_view name,
                               std::int64_t otherwise) {
    HEDDLE_TRY(const std::int64_t count, json_integer(object, name, otherwise));
    if (count < 0 || count > 1'000'000) {
        return corrupt_tokenizer(fmt::format("\"{}\" is out of range", name));
    }
    return static_cast<std::size_t>(count);
}

Result<NormalizerPtr> read_replace_normalizer(const JsonObject& object) {
    HEDDLE_TRY(JsonPattern pattern, read_pattern(object));
    HEDDLE_TRY(std::string content, json_string(object, "content", ""));
    if (!pattern.is_regex) {
        return make_replace_normalizer(std::move(pattern.text), std::move(content));
    }
    HEDDLE_TRY(Regex regex, Regex::compile(pattern.text));
    return make_regex_normalizer(std::move(regex), std::move(content));
}

Result<NormalizerPtr> read_precompiled_normalizer(const JsonObject& object) {
    HEDDLE_TRY(const std::string encoded, json_string(object, "precompiled_charsmap", ""));
    if (encoded.empty()) return nullptr;
    HEDDLE_TRY(const std::string bytes, decode_base64(encoded));
    return make_precompiled_normalizer(bytes);
}

Result<NormalizerPtr> read_strip_normalizer(const JsonObject& object) {
    HEDDLE_TRY(const bool left, json_bool(object, "strip_left", true));
    HEDDLE_TRY(const bool right, json_bool(object, "strip_right", true));
    return make_strip_normalizer(left, right);
}

}  // namespace

Result<NormalizerPtr> read_normalizer(std::optional<JsonElement> element) {
    if (!element) return nullptr;
    HEDDLE_TRY(const JsonStage stage, read_stage(*element, "normalizer"));
    const std::string& type = stage.type;
    if (type == "BertNormalizer") return read_bert_normalizer(stage.object);
    if (type == "NFC") return make_unicode_normalizer(NormalForm::kNfc);
    if (type == "NFD") return make_unicode_normalizer(NormalForm::kNfd);
    if (type == "NFKC") return make_unicode_normalizer(NormalForm::kNfkc);
    if (type == "NFKD") return make_unicode_normalizer(NormalForm::kNfkd);
    if (type == "Lowercase") return make_lowercase_normalizer();
    if (type == "StripAccents") return make_strip_accents_normalizer();
    if (type == "Strip") return read_strip_normalizer(stage.object);
    if (type == "Prepend") {
        HEDDLE_TRY(std::string prefix, json_string(stage.object, "prepend", ""));
        return make_prepend_normalizer(std::move(prefix));
    }
    if (type == "Replace") return read_replace_normalizer(stage.object);
    if (type == "Precompiled") return read_precompiled_normalizer(stage.object);
    if (type == "Nmt") return make_nmt_normalizer();
    if (type == "Sequence") {
        HEDDLE_TRY(auto parts, read_parts<NormalizerPtr>(stage, "normalizers", read_normalizer));
        return make_normalizer_sequence(std::move(parts));
    }
    return unknown_stage("normalizer", type);
}

namespace {

Result<DelimiterBehavior> read_behavior(const JsonObject& object) {
    HEDDLE_TRY(const std::string name, json_string(object, "behavior", "Isolated"));
    if (name == "Removed") return DelimiterBehavior::kRemoved;
    if (name == "Isolated") return DelimiterBehavior::kIsolated;
    if (name == "Contiguous") return DelimiterBehavior::kContiguous;
    if (name == "MergedWithPrevious") return DelimiterBehavior::kMergedWithPrevious;
    if (name == "MergedWithNext") return DelimiterBehavior::kMergedWithNext;
    return corrupt_tokenizer("a pre-tokenizer has an unknown behavior");
}

Result<PreTokenizerPtr> read_split(const JsonObject& object) {
    HEDDLE_TRY(JsonPattern pattern, read_pattern(object));
    HEDDLE_TRY(const DelimiterBehavior behavior, read_behavior(object));
    HEDDLE_TRY(const bool inverted, json_bool(object, "invert", false));
    if (!pattern.is_regex) {
        return make_split_pretokenizer(make_literal_pattern(std::move(pattern.text)), behavior,
                                       inverted);
    }
    HEDDLE_TRY(SplitPatternPtr regex, make_regex_pattern(pattern.text));
    return make_split_pretokenizer(std::move(regex), behavior, inverted);
}

Result<PrependScheme> read_prepend_scheme(const JsonObject& object) {
    HEDDLE_TRY(const bool prefix_space, json_bool(object, "add_prefix_space", true));
    if (!prefix_space) return PrependScheme::kNever;
    HEDDLE_TRY(const std::string name, json_string(object, "prepend_scheme", "always"));
    if (name == "always") return PrependScheme::kAlways;
    if (name == "first") return PrependScheme::kFirst;
    if (name == "never") return PrependScheme::kNever;
    return corrupt_tokenizer("Metaspace has an unknown prepend scheme");
}

Result<PreTokenizerPtr> read_metaspace(const JsonObject& object) {
    HEDDLE_TRY(std::string replacement, json_string(object, "replacement", kMetaspace));
    if (replacement.empty()) return corrupt_tokenizer("Metaspace has no replacement");
    HEDDLE_TRY(const PrependScheme scheme, read_prepend_scheme(object));
    HEDDLE_TRY(const bool split, json_bool(object, "split", true));
    return make_metaspace_pretokenizer(std::move(replacement), scheme, split);
}

Result<PreTokenizerPtr> read_byte_level(const JsonObject& object) {
    HEDDLE_TRY(const bool prefix_space, json_bool(object, "add_prefix_space", true));
    HEDDLE_TRY(const bool use_regex, json_bool(object, "use_regex", true));
    return make_byte_level_pretokenizer(prefix_space, use_regex);
}

Result<PreTokenizerPtr> read_character_split(const JsonStage& stage) {
    if (stage.type == "Digits") {
        HEDDLE_TRY(const bool individual, json_bool(stage.object, "individual_digits", false));
        return make_digits_pretokenizer(individual);
    }
    if (stage.type == "Punctuation") {
        HEDDLE_TRY(const DelimiterBehavior behavior, read_behavior(stage.object));
        return make_punctuation_pretokenizer(behavior);
    }
    if (stage.type == "CharDelimiterSplit") {
        HEDDLE_TRY(std::string delimiter, json_string(stage.object, "delimiter", " "));
        return make_split_pretokenizer(make_literal_pattern(std::move(delimiter)),
                                       DelimiterBehavior::kRemoved, false);
    }
    HEDDLE_TRY(const std::size_t length, read_count(stage.object, "length", 5));
    if (length == 0) return corrupt_tokenizer("FixedLength has no length");
    return make_fixed_length_pretokenizer(length);
}

}  // namespace

Result<PreTokenizerPtr> read_pretokenizer(std::optional<JsonElement> element) {
    if (!element) return nullptr;
    HEDDLE_TRY(const JsonStage stage, read_stage(*element, "pre-tokenizer"));
    const std::string& type = stage.type;
    if (type == "BertPreTokenizer") return make_bert_pretokenizer();
    if (type == "WhitespaceSplit") return make_whitespace_split_pretokenizer();
    if (type == "Whitespace") return make_whitespace_pretokenizer();
    if (type == "Split") return read_split(stage.object);
    if (type == "Metaspace") return read_metaspace(stage.object);
    if (type == "ByteLevel") return read_byte_level(stage.object);
    if (type == "Digits" || type == "Punctuation" || type == "CharDelimiterSplit" ||
        type == "FixedLength") {
        return read_character_split(stage);
    }
    if (type == "Sequence") {
        HEDDLE_TRY(auto parts,
                   read_parts<PreTokenizerPtr>(stage, "pretokenizers", read_pretokenizer));
        return make_pretokenizer_sequence(std::move(parts));
    }
    return unknown_stage("pre-tokenizer", type);
}

Result<bool> is_byte_level(std::optional<JsonElement> element) {
    if (!element) return false;
    HEDDLE_TRY(const JsonStage stage, read_stage(*element, "pre-tokenizer"));
    if (stage.type != "Sequence") return stage.type == "ByteLevel";
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(stage.object, "pretokenizers"));
    bool byte_level = false;
    for (const JsonElement part : list.value_or(JsonArray())) {
        if (byte_level) {
            return fail(ErrorCode::kUnimplemented,
                        "tokenizer.json: a pre-tokenizer behind ByteLevel is not supported");
        }
        HEDDLE_TRY(byte_level, is_byte_level(part));
    }
    return byte_level;
}

namespace {

Result<DecoderPtr> read_replace_decoder(const JsonObject& object) {
    HEDDLE_TRY(JsonPattern pattern, read_pattern(object));
    if (pattern.is_regex) return unknown_stage("decoder", "Replace with a regular expression");
    HEDDLE_TRY(std::string content, json_string(object, "content", ""));
    return make_replace_decoder(std::move(pattern.text), std::move(content));
}

Result<DecoderPtr> read_strip_decoder(const JsonObject& object) {
    HEDDLE_TRY(std::string content, json_string(object, "content", " "));
    if (content.empty()) return corrupt_tokenizer("a decoder strips nothing");
    HEDDLE_TRY(const std::size_t left, read_count(object, "start", 0));
    HEDDLE_TRY(const std::size_t right, read_count(object, "stop", 0));
    return make_strip_decoder(std::move(content), left, right);
}

Result<DecoderPtr> read_metaspace_decoder(const JsonObject& object) {
    HEDDLE_TRY(std::string replacement, json_string(object, "replacement", kMetaspace));
    HEDDLE_TRY(const PrependScheme scheme, read_prepend_scheme(object));
    return make_metaspace_decoder(std::move(replacement), scheme != PrependScheme::kNever);
}

}  // namespace

Result<DecoderPtr> read_decoder(std::optional<JsonElement> element) {
    if (!element) return nullptr;
    HEDDLE_TRY(const JsonStage stage, read_stage(*element, "decoder"));
    const std::string& type = stage.type;
    if (type == "WordPiece") {
        HEDDLE_TRY(std::string prefix, json_string(stage.object, "prefix", "##"));
        HEDDLE_TRY(const bool cleanup, json_bool(stage.object, "cleanup", true));
        return make_wordpiece_decoder(std::move(prefix), cleanup);
    }
    if (type == "ByteLevel") return make_byte_level_decoder();
    if (type == "ByteFallback") return make_byte_fallback_decoder();
    if (type == "Fuse") return make_fuse_decoder();
    if (type == "Strip") return read_strip_decoder(stage.object);
    if (type == "Replace") return read_replace_decoder(stage.object);
    if (type == "Metaspace") return read_metaspace_decoder(stage.object);
    if (type == "BPEDecoder") {
        HEDDLE_TRY(std::string suffix, json_string(stage.object, "suffix", "</w>"));
        return make_bpe_decoder(std::move(suffix));
    }
    if (type == "Sequence") {
        HEDDLE_TRY(auto parts, read_parts<DecoderPtr>(stage, "decoders", read_decoder));
        return make_decoder_sequence(std::move(parts));
    }
    return unknown_stage("decoder", type);
}

}  // namespace heddle::text
