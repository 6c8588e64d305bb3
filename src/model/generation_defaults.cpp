#include "model/generation_defaults.h"

#include <filesystem>

#include <simdjson.h>

#include "model/json_fields.h"
#include "model/mapped_file.h"

namespace heddle::model {
namespace {

constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 20;

}  // namespace

Result<GenerationDefaults> load_generation_defaults(const ModelFiles& files) {
    GenerationDefaults defaults;
    const std::filesystem::path path = files.path() / "generation_config.json";
    std::error_code ec;
    if (files.gguf() != nullptr || !std::filesystem::exists(path, ec)) return defaults;
    HEDDLE_TRY(const std::string text, read_text_file(path, kBytesMax));
    simdjson::dom::parser parser;
    HEDDLE_TRY(const JsonFields fields, parse_json_object(parser, text, "generation_config.json"));
    HEDDLE_TRY(defaults.temperature, fields.number("temperature", 0, 2));
    HEDDLE_TRY(defaults.top_p, fields.number("top_p", 0, 1));
    HEDDLE_TRY(defaults.top_k, fields.integer("top_k", 0, 1'000'000));
    HEDDLE_TRY(defaults.min_p, fields.number("min_p", 0, 1));
    HEDDLE_TRY(defaults.repetition_penalty, fields.number("repetition_penalty", 0.01, 10));
    return defaults;
}

}  // namespace heddle::model
