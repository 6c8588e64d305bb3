#include "model/sentence_settings.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "model/json_fields.h"
#include "model/limits.h"
#include "model/mapped_file.h"

namespace heddle::model {
namespace {

namespace dom = simdjson::dom;

constexpr std::uint64_t kBytesMax = 1 << 20;
constexpr std::size_t kModulesMax = 16;
constexpr std::size_t kPromptBytesMax = 4'096;

// nullopt when there is no such file.
Result<std::optional<std::string>> read_optional(const std::filesystem::path& path) {
    auto text = read_text_file(path, kBytesMax);
    if (text) return std::optional(std::move(*text));
    if (text.error().code() == ErrorCode::kNotFound) return std::optional<std::string>();
    return fail(std::move(text).error());
}

Error wrong_module(std::string_view what) {
    return {ErrorCode::kCorrupt, fmt::format("modules.json: {}", what)};
}

// A folder inside the model's: "1_Pooling".
bool is_plain_folder(std::string_view path) {
    return !path.empty() && path.front() != '.' && path.size() < 256 &&
           path.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

Result<Pooling> pooling_of(const JsonFields& fields) {
    HEDDLE_TRY(const auto mode, fields.text("pooling_mode"));
    if (mode == "mean") return Pooling::kMean;
    if (mode == "cls") return Pooling::kCls;
    HEDDLE_TRY(const bool mean, fields.boolean_or("pooling_mode_mean_tokens", false));
    HEDDLE_TRY(const bool cls, fields.boolean_or("pooling_mode_cls_token", false));
    bool other = mode.has_value();
    for (const std::string_view name :
         {"pooling_mode_max_tokens", "pooling_mode_lasttoken", "pooling_mode_mean_sqrt_len_tokens",
          "pooling_mode_weightedmean_tokens"}) {
        HEDDLE_TRY(const bool set, fields.boolean_or(name, false));
        other = other || set;
    }
    if (other || mean == cls) {
        return fail(ErrorCode::kUnimplemented,
                    "the pooling module's config.json: only mean or cls pooling is supported");
    }
    return cls ? Pooling::kCls : Pooling::kMean;
}

Result<> read_pooling(const std::filesystem::path& folder, SentenceSettings& settings) {
    HEDDLE_TRY(const std::string text, read_text_file(folder / "config.json", kBytesMax));
    dom::parser parser;
    HEDDLE_TRY(const auto fields,
               parse_json_object(parser, text, "the pooling module's config.json"));
    HEDDLE_TRY(settings.pooling, pooling_of(fields));
    return {};
}

Result<> read_modules(const std::filesystem::path& folder, SentenceSettings& settings) {
    HEDDLE_TRY(const auto text, read_optional(folder / "modules.json"));
    if (!text) return {};
    dom::parser parser;
    dom::array modules;
    if (parser.parse(*text).get(modules) != simdjson::SUCCESS) {
        return fail(wrong_module("is not a valid JSON array"));
    }
    std::size_t count = 0;
    for (const dom::element module : modules) {
        std::string_view type, path;
        if (++count > kModulesMax || module["type"].get(type) != simdjson::SUCCESS ||
            module["path"].get(path) != simdjson::SUCCESS) {
            return fail(wrong_module("must list modules with a type and a path"));
        }
        const std::string_view name = type.substr(type.rfind('.') + 1);
        if (name == "Normalize") {
            settings.normalize = true;
        } else if (name == "Pooling") {
            if (!is_plain_folder(path)) return fail(wrong_module("path is no plain folder name"));
            HEDDLE_TRY_VOID(read_pooling(folder / path, settings));
        } else if (name != "Transformer" || !path.empty()) {
            return fail(
                ErrorCode::kUnimplemented,
                fmt::format("modules.json: module {} is not supported", name.substr(0, 64)));
        }
    }
    return {};
}

Result<> read_limit(const std::filesystem::path& folder, SentenceSettings& settings) {
    for (const auto& [file, field] : {std::pair{"sentence_bert_config.json", "max_seq_length"},
                                      std::pair{"tokenizer_config.json", "model_max_length"}}) {
        HEDDLE_TRY(const auto text, read_optional(folder / file));
        if (!text) continue;
        dom::parser parser;
        HEDDLE_TRY(const auto fields, parse_json_object(parser, *text, file));
        // Tokenizers without a limit state 1e30, which is none.
        HEDDLE_TRY(const double limit, fields.number_or(field, 0, 0, 1e300));
        if (limit >= 1 && limit <= static_cast<double>(limits::kContextMax)) {
            settings.tokens_max = static_cast<std::int64_t>(limit);
            return {};
        }
    }
    return {};
}

Result<> read_prompts(const std::filesystem::path& folder, SentenceSettings& settings) {
    const std::string file = "config_sentence_transformers.json";
    HEDDLE_TRY(const auto text, read_optional(folder / file));
    if (!text) return {};
    dom::parser parser;
    HEDDLE_TRY(const auto fields, parse_json_object(parser, *text, file));
    HEDDLE_TRY(const auto prompts, fields.object("prompts"));
    if (!prompts) return {};
    HEDDLE_TRY(const auto query, prompts->text("query"));
    HEDDLE_TRY(auto passage, prompts->text("passage"));
    if (!passage) {
        HEDDLE_TRY(passage, prompts->text("document"));
    }
    for (const auto& [prompt, to] :
         {std::pair{query, &settings.query_prompt}, std::pair{passage, &settings.passage_prompt}}) {
        if (!prompt) continue;
        if (prompt->size() > kPromptBytesMax) {
            return fail(ErrorCode::kCorrupt, file + ": a prompt is too long");
        }
        *to = *prompt;
    }
    return {};
}

}  // namespace

Result<SentenceSettings> load_sentence_settings(const std::filesystem::path& folder) {
    SentenceSettings settings;
    HEDDLE_TRY_VOID(read_modules(folder, settings));
    HEDDLE_TRY_VOID(read_limit(folder, settings));
    HEDDLE_TRY_VOID(read_prompts(folder, settings));
    return settings;
}

}  // namespace heddle::model
