#include "model/model_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "text/tokenizer_json.h"

namespace heddle::model {
namespace {

namespace dom = simdjson::dom;

constexpr std::uint64_t kTokenizerConfigBytesMax = 32 << 20;
constexpr std::uint64_t kTemplateBytesMax = 1 << 20;

Result<std::string> read_or_empty(const std::filesystem::path& path, std::uint64_t bytes_max) {
    auto text = read_text_file(path, bytes_max);
    if (!text && text.error().code() == ErrorCode::kNotFound) return std::string();
    return text;
}

Result<std::optional<text::TokenId>> token_id(const GgufFile& gguf, std::string_view name) {
    HEDDLE_TRY(const auto id, gguf.integer(fmt::format("tokenizer.ggml.{}_token_id", name), 0,
                                           std::numeric_limits<text::TokenId>::max()));
    if (!id) return std::optional<text::TokenId>();
    return std::optional(static_cast<text::TokenId>(*id));
}

Result<> read_special_tokens(const GgufFile& gguf, text::VocabularyData& data) {
    HEDDLE_TRY(data.bos, token_id(gguf, "bos"));
    HEDDLE_TRY(data.eos, token_id(gguf, "eos"));
    HEDDLE_TRY(data.unknown, token_id(gguf, "unknown"));
    HEDDLE_TRY(data.separator, token_id(gguf, "seperator"));  // the key is spelt so
    HEDDLE_TRY(data.padding, token_id(gguf, "padding"));
    HEDDLE_TRY(data.cls, token_id(gguf, "cls"));
    HEDDLE_TRY(data.mask, token_id(gguf, "mask"));
    HEDDLE_TRY(data.add_bos, gguf.boolean("tokenizer.ggml.add_bos_token"));
    HEDDLE_TRY(data.add_eos, gguf.boolean("tokenizer.ggml.add_eos_token"));
    HEDDLE_TRY(data.add_space_prefix, gguf.boolean("tokenizer.ggml.add_space_prefix"));
    HEDDLE_TRY(const auto spaces, gguf.boolean("tokenizer.ggml.remove_extra_whitespaces"));
    data.remove_extra_whitespaces = spaces.value_or(false);
    return {};
}

Error bad_template(std::string_view what) {
    return {ErrorCode::kCorrupt, fmt::format("tokenizer_config.json: chat_template {}", what)};
}

// [{"name": "default", "template": "…"}, {"name": "tool_use", …}]
Result<ChatTemplateText> named_templates(dom::array list) {
    ChatTemplateText templates;
    for (const dom::element entry : list) {
        std::string_view name, text;
        if (entry["name"].get(name) != simdjson::SUCCESS ||
            entry["template"].get(text) != simdjson::SUCCESS || text.size() > kTemplateBytesMax) {
            return fail(bad_template("must list names and templates"));
        }
        if (name == "default") templates.plain = text;
        if (name == "tool_use") templates.tools = text;
    }
    return templates;
}

Result<ChatTemplateText> template_in_config(const std::string& json) {
    ChatTemplateText templates;
    if (json.empty()) return templates;
    dom::parser parser;
    dom::object config;
    if (parser.parse(json).get(config) != simdjson::SUCCESS) {
        return fail(ErrorCode::kCorrupt, "tokenizer_config.json: is not a valid JSON object");
    }
    dom::element value;
    if (config["chat_template"].get(value) != simdjson::SUCCESS || value.is_null()) {
        return templates;
    }
    dom::array list;
    if (value.get(list) == simdjson::SUCCESS) return named_templates(list);
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS || text.size() > kTemplateBytesMax) {
        return fail(bad_template("must be a text of at most a megabyte"));
    }
    templates.plain = text;
    return templates;
}

}  // namespace

Result<text::VocabularyData> read_vocabulary(const GgufFile& gguf) {
    text::VocabularyData data;
    HEDDLE_TRY(const auto model, gguf.text("tokenizer.ggml.model"));
    if (!model) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: metadata tokenizer.ggml.model is missing",
                                                     gguf.file().name()));
    }
    data.model = *model;
    HEDDLE_TRY(const auto pre, gguf.text("tokenizer.ggml.pre"));
    data.pre = pre.value_or("");
    HEDDLE_TRY(const auto tokens, gguf.texts("tokenizer.ggml.tokens"));
    data.tokens.assign(tokens.begin(), tokens.end());
    HEDDLE_TRY(const auto merges, gguf.texts("tokenizer.ggml.merges"));
    data.merges.assign(merges.begin(), merges.end());
    HEDDLE_TRY(const auto scores, gguf.numbers("tokenizer.ggml.scores"));
    data.scores.assign(scores.begin(), scores.end());
    HEDDLE_TRY(const auto types, gguf.integers("tokenizer.ggml.token_type"));
    for (const std::int64_t type : types) {
        if (!std::in_range<std::int32_t>(type)) {
            return fail(ErrorCode::kCorrupt,
                        fmt::format("{}: a token's type is out of range", gguf.file().name()));
        }
        data.token_types.push_back(static_cast<std::int32_t>(type));
    }
    if (const GgufValue* map = gguf.find("tokenizer.ggml.precompiled_charsmap")) {
        const auto* array = std::get_if<GgufArray>(map);
        if (array != nullptr) {
            data.precompiled_charsmap.assign(reinterpret_cast<const char*>(array->bytes.data()),
                                             array->bytes.size());
        }
    }
    HEDDLE_TRY_VOID(read_special_tokens(gguf, data));
    return data;
}

Result<std::shared_ptr<const text::Tokenizer>> load_tokenizer(const ModelFiles& files) {
    if (files.gguf() != nullptr) {
        HEDDLE_TRY(text::VocabularyData data, read_vocabulary(*files.gguf()));
        return text::tokenizer_from_vocabulary(std::move(data));
    }
    HEDDLE_TRY(const std::string json,
               read_text_file(files.path() / "tokenizer.json", text::kTokenizerFileBytesMax));
    HEDDLE_TRY(const std::string config,
               read_or_empty(files.path() / "tokenizer_config.json", kTokenizerConfigBytesMax));
    return text::tokenizer_from_json(json, config);
}

Result<ChatTemplateText> load_chat_template(const ModelFiles& files) {
    if (files.gguf() != nullptr) {
        ChatTemplateText templates;
        HEDDLE_TRY(const auto plain, files.gguf()->text("tokenizer.chat_template"));
        HEDDLE_TRY(const auto tools, files.gguf()->text("tokenizer.chat_template.tool_use"));
        templates.plain = plain.value_or("");
        templates.tools = tools.value_or("");
        return templates;
    }
    HEDDLE_TRY(std::string own,
               read_or_empty(files.path() / "chat_template.jinja", kTemplateBytesMax));
    if (!own.empty()) return ChatTemplateText{std::move(own), {}};
    HEDDLE_TRY(const std::string config,
               read_or_empty(files.path() / "tokenizer_config.json", kTokenizerConfigBytesMax));
    return template_in_config(config);
}

}  // namespace heddle::model
