#include "text/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/json_fields.h"
#include "text/tokenizer_json_model.h"
#include "text/tokenizer_json_stages.h"
#include "text/tokenizer_parts.h"

namespace heddle::text {
namespace {

Result<std::vector<AddedToken>> read_added_tokens(const JsonObject& root) {
    std::vector<AddedToken> tokens;
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(root, "added_tokens"));
    if (!list) return tokens;
    for (const JsonElement entry : *list) {
        JsonObject object;
        if (entry.get(object) != simdjson::SUCCESS) {
            return corrupt_tokenizer("an added token is not an object");
        }
        AddedToken token;
        HEDDLE_TRY(const std::int64_t id, json_integer(object, "id", -1));
        if (id < 0 || static_cast<std::uint64_t>(id) >= kVocabularySizeMax) {
            return corrupt_tokenizer("the id of an added token is out of range");
        }
        token.id = static_cast<TokenId>(id);
        HEDDLE_TRY(token.content, json_string(object, "content", ""));
        HEDDLE_TRY(token.special, json_bool(object, "special", false));
        HEDDLE_TRY(token.single_word, json_bool(object, "single_word", false));
        HEDDLE_TRY(token.left_strip, json_bool(object, "lstrip", false));
        HEDDLE_TRY(token.right_strip, json_bool(object, "rstrip", false));
        HEDDLE_TRY(token.normalized, json_bool(object, "normalized", !token.special));
        if (!token.content.empty()) tokens.push_back(std::move(token));
    }
    return tokens;
}

// The name of a special token in tokenizer_config.json: a string, or an object with its content.
std::string configured_name(const std::optional<JsonObject>& config, std::string_view field) {
    if (!config) return {};
    const std::optional<JsonElement> value = json_field(*config, field);
    if (!value) return {};
    std::string_view name;
    if (value->get(name) == simdjson::SUCCESS) return std::string(name);
    JsonObject object;
    if (value->get(object) != simdjson::SUCCESS) return {};
    const std::optional<JsonElement> content = json_field(object, "content");
    if (!content || content->get(name) != simdjson::SUCCESS) return {};
    return std::string(name);
}

// How special tokens are called where no configuration says it.
struct UsualNames {
    std::string_view field;
    std::optional<TokenId> SpecialIds::* id;
    std::array<std::string_view, 6> names;
};
constexpr std::array kUsualNames = {
    UsualNames{"bos_token",
               &SpecialIds::bos,
               {"<s>", "<|begin_of_text|>", "<bos>", "<|startoftext|>", "[BOS]",
                "<｜begin▁of▁sentence｜>"}},
    UsualNames{
        "eos_token",
        &SpecialIds::eos,
        {"</s>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<eos>", "<｜end▁of▁sentence｜>"}},
    UsualNames{"pad_token",
               &SpecialIds::pad,
               {"[PAD]", "<pad>", "<|pad|>", "<|finetune_right_pad_id|>", "<|endoftext|>", ""}},
    UsualNames{"unk_token", &SpecialIds::unk, {"[UNK]", "<unk>", "", "", "", ""}},
    UsualNames{"cls_token", &SpecialIds::cls, {"[CLS]", "", "", "", "", ""}},
    UsualNames{"sep_token", &SpecialIds::sep, {"[SEP]", "", "", "", "", ""}},
    UsualNames{"mask_token", &SpecialIds::mask, {"[MASK]", "<mask>", "", "", "", ""}},
};

Result<SpecialIds> read_special_ids(std::string_view config_json, const Vocabulary& pieces) {
    SpecialIds special;
    simdjson::dom::parser parser;
    std::optional<JsonObject> config;
    if (!config_json.empty()) {
        HEDDLE_TRY(config, parse_json_object(parser, config_json, "tokenizer_config.json"));
    }
    for (const UsualNames& usual : kUsualNames) {
        const std::string configured = configured_name(config, usual.field);
        if (!configured.empty()) {
            special.*usual.id = pieces.find(configured);
            continue;
        }
        if (config && json_field(*config, "tokenizer_class")) continue;
        for (const std::string_view name : usual.names) {
            if (!(special.*usual.id)) special.*usual.id = pieces.find(name);
        }
    }
    return special;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> tokenizer_from_json(
    std::string_view tokenizer_json, std::string_view tokenizer_config_json) {
    if (tokenizer_json.size() > kTokenizerFileBytesMax ||
        tokenizer_config_json.size() > kTokenizerFileBytesMax) {
        return fail(ErrorCode::kTooLarge, "tokenizer.json is larger than 128 MiB");
    }
    simdjson::dom::parser parser;
    HEDDLE_TRY(const JsonObject root, parse_json_object(parser, tokenizer_json, "tokenizer.json"));
    auto parts = std::make_unique<TokenizerParts>();
    HEDDLE_TRY(std::vector<AddedToken> added, read_added_tokens(root));
    const std::optional<JsonElement> pretokenizer = json_field(root, "pre_tokenizer");
    HEDDLE_TRY(const bool byte_level, is_byte_level(pretokenizer));
    HEDDLE_TRY_VOID(read_model(root, added, byte_level, *parts));
    HEDDLE_TRY(parts->normalizer, read_normalizer(json_field(root, "normalizer")));
    parts->added = AddedTokens(std::move(added), parts->normalizer.get());
    HEDDLE_TRY(parts->pretokenizer, read_pretokenizer(pretokenizer));
    HEDDLE_TRY(parts->post, read_post_template(json_field(root, "post_processor"), parts->pieces));
    HEDDLE_TRY(parts->decoder, read_decoder(json_field(root, "decoder")));
    HEDDLE_TRY(parts->special, read_special_ids(tokenizer_config_json, parts->pieces));
    return std::make_shared<const Tokenizer>(std::move(parts));
}

}  // namespace heddle::text
