#include "text/tokenizer_json_stages.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace heddle::text {
namespace {

struct Stage {
    JsonObject object;
    std::string type;
};

Result<Stage> read_stage(const JsonElement& element, std::string_view kind) {
    Stage stage;
    if (element.get(stage.object) != simdjson::SUCCESS) {
        return corrupt_tokenizer(fmt::format("the {} is not an object", kind));
    }
    HEDDLE_TRY(stage.type, json_string(stage.object, "type", ""));
    return stage;
}

tl::unexpected<Error> unknown_type(std::string_view kind, std::string_view type) {
    return fail(ErrorCode::kUnimplemented,
                fmt::format("tokenizer.json: a {} of type \"{}\" is not supported", kind, type));
}

// The parts of a Sequence, read one by one with `read`.
template <class Pointer, class Read>
Result<std::vector<Pointer>> read_parts(const Stage& stage, std::string_view field,
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

Result<NormalizerPtr> read_strip_normalizer(const JsonObject& object) {
    HEDDLE_TRY(const bool left, json_bool(object, "strip_left", true));
    HEDDLE_TRY(const bool right, json_bool(object, "strip_right", true));
    return make_strip_normalizer(left, right);
}

}  // namespace

Result<NormalizerPtr> read_normalizer(std::optional<JsonElement> element) {
    if (!element) return nullptr;
    HEDDLE_TRY(const Stage stage, read_stage(*element, "normalizer"));
    const std::string& type = stage.type;
    if (type == "BertNormalizer") return read_bert_normalizer(stage.object);
    if (type == "NFC") return make_unicode_normalizer(NormalForm::kNfc);
    if (type == "NFD") return make_unicode_normalizer(NormalForm::kNfd);
    if (type == "NFKC") return make_unicode_normalizer(NormalForm::kNfkc);
    if (type == "NFKD") return make_unicode_normalizer(NormalForm::kNfkd);
    if (type == "Lowercase") return make_lowercase_normalizer();
    if (type == "StripAccents") return make_strip_accents_normalizer();
    if (type == "Strip") return read_strip_normalizer(stage.object);
    if (type == "Sequence") {
        HEDDLE_TRY(auto parts, read_parts<NormalizerPtr>(stage, "normalizers", read_normalizer));
        return make_normalizer_sequence(std::move(parts));
    }
    return unknown_type("normalizer", type);
}

Result<PreTokenizerPtr> read_pretokenizer(std::optional<JsonElement> element) {
    if (!element) return nullptr;
    HEDDLE_TRY(const Stage stage, read_stage(*element, "pre-tokenizer"));
    const std::string& type = stage.type;
    if (type == "BertPreTokenizer") return make_bert_pretokenizer();
    if (type == "WhitespaceSplit") return make_whitespace_split_pretokenizer();
    if (type == "Sequence") {
        HEDDLE_TRY(auto parts,
                   read_parts<PreTokenizerPtr>(stage, "pretokenizers", read_pretokenizer));
        return make_pretokenizer_sequence(std::move(parts));
    }
    return unknown_type("pre-tokenizer", type);
}

Result<DecoderPtr> read_decoder(std::optional<JsonElement> element) {
    if (!element) return nullptr;
    HEDDLE_TRY(const Stage stage, read_stage(*element, "decoder"));
    const std::string& type = stage.type;
    if (type == "WordPiece") {
        HEDDLE_TRY(std::string prefix, json_string(stage.object, "prefix", "##"));
        HEDDLE_TRY(const bool cleanup, json_bool(stage.object, "cleanup", true));
        return make_wordpiece_decoder(std::move(prefix), cleanup);
    }
    if (type == "Sequence") {
        HEDDLE_TRY(auto parts, read_parts<DecoderPtr>(stage, "decoders", read_decoder));
        return make_decoder_sequence(std::move(parts));
    }
    return unknown_type("decoder", type);
}

namespace {

// {"Sequence": {"id": "A", "type_id": 0}} or {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
// the latter's ids standing in special_tokens.
Result<PostTemplate::Step> read_step(const JsonElement& element,
                                     const std::optional<JsonObject>& special_tokens,
                                     const Vocabulary& pieces) {
    PostTemplate::Step step;
    JsonObject object;
    if (element.get(object) != simdjson::SUCCESS) {
        return corrupt_tokenizer("a step of the post-processor is not an object");
    }
    HEDDLE_TRY(const std::optional<JsonObject> sequence, json_object(object, "Sequence"));
    HEDDLE_TRY(const std::optional<JsonObject> special, json_object(object, "SpecialToken"));
    if (!sequence && !special) return corrupt_tokenizer("a step of the post-processor is unknown");
    const JsonObject& body = sequence ? *sequence : *special;
    HEDDLE_TRY(const std::int64_t type_id, json_integer(body, "type_id", 0));
    if (type_id < 0 || type_id > 255) return corrupt_tokenizer("a type id is out of range");
    step.type_id = static_cast<std::uint8_t>(type_id);
    HEDDLE_TRY(const std::string name, json_string(body, "id", ""));
    if (sequence) {
        using Source = PostTemplate::Source;
        step.source = name == "B" ? Source::kSecond : Source::kFirst;
        return step;
    }
    step.source = PostTemplate::Source::kSpecial;
    if (!special_tokens) return corrupt_tokenizer("the post-processor has no special tokens");
    HEDDLE_TRY(const std::optional<JsonObject> entry, json_object(*special_tokens, name));
    if (!entry) return corrupt_tokenizer("the post-processor names an unknown special token");
    HEDDLE_TRY(const std::optional<JsonArray> ids, json_array(*entry, "ids"));
    if (!ids) return corrupt_tokenizer("a special token of the post-processor has no ids");
    for (const JsonElement id_element : *ids) {
        std::int64_t id = -1;
        if (id_element.get(id) != simdjson::SUCCESS || id < 0 ||
            static_cast<std::uint64_t>(id) >= pieces.size()) {
            return corrupt_tokenizer("an id of the post-processor is out of range");
        }
        step.special.push_back(static_cast<TokenId>(id));
    }
    return step;
}

Result<std::vector<PostTemplate::Step>> read_steps(const JsonObject& object, std::string_view field,
                                                   const Vocabulary& pieces) {
    std::vector<PostTemplate::Step> steps;
    HEDDLE_TRY(const std::optional<JsonObject> special, json_object(object, "special_tokens"));
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(object, field));
    if (!list) return corrupt_tokenizer("the post-processor has no template");
    for (const JsonElement element : *list) {
        HEDDLE_TRY(PostTemplate::Step step, read_step(element, special, pieces));
        steps.push_back(std::move(step));
    }
    return steps;
}

Result<PostTemplate> read_template(const JsonObject& object, const Vocabulary& pieces) {
    PostTemplate post;
    HEDDLE_TRY(post.single, read_steps(object, "single", pieces));
    HEDDLE_TRY(post.pair, read_steps(object, "pair", pieces));
    return post;
}

// ["[CLS]", 101]
Result<TokenId> read_named_id(const JsonObject& object, std::string_view field,
                              const Vocabulary& pieces) {
    HEDDLE_TRY(const std::optional<JsonArray> pair, json_array(object, field));
    std::int64_t id = -1;
    if (!pair || pair->at(1).get(id) != simdjson::SUCCESS || id < 0 ||
        static_cast<std::uint64_t>(id) >= pieces.size()) {
        return corrupt_tokenizer(
            fmt::format("\"{}\" of the post-processor is out of range", field));
    }
    return static_cast<TokenId>(id);
}

// BertProcessing: cls A sep, cls A sep B sep with type 1; RobertaProcessing: cls A sep sep B sep.
Result<PostTemplate> read_cls_sep(const JsonObject& object, bool roberta,
                                  const Vocabulary& pieces) {
    using Source = PostTemplate::Source;
    HEDDLE_TRY(const TokenId cls, read_named_id(object, "cls", pieces));
    HEDDLE_TRY(const TokenId sep, read_named_id(object, "sep", pieces));
    const std::uint8_t second_type = roberta ? 0 : 1;
    PostTemplate post;
    post.single = {
        {Source::kSpecial, {cls}, 0}, {Source::kFirst, {}, 0}, {Source::kSpecial, {sep}, 0}};
    post.pair = post.single;
    if (roberta) post.pair.push_back({Source::kSpecial, {sep}, 0});
    post.pair.push_back({Source::kSecond, {}, second_type});
    post.pair.push_back({Source::kSpecial, {sep}, second_type});
    return post;
}

}  // namespace

Result<PostTemplate> read_post_template(std::optional<JsonElement> element,
                                        const Vocabulary& pieces) {
    if (!element) return PostTemplate{};
    HEDDLE_TRY(const Stage stage, read_stage(*element, "post-processor"));
    const std::string& type = stage.type;
    if (type == "TemplateProcessing") return read_template(stage.object, pieces);
    if (type == "BertProcessing") return read_cls_sep(stage.object, false, pieces);
    if (type == "RobertaProcessing") return read_cls_sep(stage.object, true, pieces);
    if (type == "ByteLevel") return PostTemplate{};  // moves offsets only
    return unknown_type("post-processor", type);
}

}  // namespace heddle::text
