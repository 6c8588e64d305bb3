#include "text/json_fields.h"

#include <fmt/format.h>

namespace heddle::text {
namespace {

tl::unexpected<Error> wrong_type(std::string_view name, std::string_view type) {
    return corrupt_tokenizer(fmt::format("\"{}\" is not {}", name, type));
}

// The field as T, or nothing where it is absent or null.
template <class T>
Result<std::optional<T>> field_as(const JsonObject& object, std::string_view name,
                                  std::string_view type) {
    const std::optional<JsonElement> field = json_field(object, name);
    if (!field) return std::optional<T>();
    T value;
    if (field->get(value) != simdjson::SUCCESS) return wrong_type(name, type);
    return std::optional<T>(value);
}

}  // namespace

tl::unexpected<Error> corrupt_tokenizer(std::string what) {
    return fail(ErrorCode::kCorrupt, "tokenizer.json: " + what);
}

Result<JsonObject> parse_json_object(simdjson::dom::parser& parser, std::string_view bytes,
                                     std::string_view what) {
    if (parser.allocate(bytes.size() + 1, kJsonDepthMax) != simdjson::SUCCESS) {
        return fail(ErrorCode::kTooLarge, fmt::format("{} is too large", what));
    }
    JsonElement root;
    if (const auto error = parser.parse(bytes.data(), bytes.size()).get(root)) {
        return fail(ErrorCode::kCorrupt,
                    fmt::format("{}: {}", what, simdjson::error_message(error)));
    }
    JsonObject object;
    if (root.get(object) != simdjson::SUCCESS) {
        return fail(ErrorCode::kCorrupt, fmt::format("{} is not a JSON object", what));
    }
    return object;
}

std::optional<JsonElement> json_field(const JsonObject& object, std::string_view name) {
    JsonElement field;
    if (object.at_key(name).get(field) != simdjson::SUCCESS || field.is_null()) {
        return std::nullopt;
    }
    return field;
}

Result<bool> json_bool(const JsonObject& object, std::string_view name, bool otherwise) {
    HEDDLE_TRY(const std::optional<bool> value, field_as<bool>(object, name, "a boolean"));
    return value.value_or(otherwise);
}

Result<std::string> json_string(const JsonObject& object, std::string_view name,
                                std::string_view otherwise) {
    HEDDLE_TRY(const std::optional<std::string_view> value,
               field_as<std::string_view>(object, name, "a string"));
    return std::string(value.value_or(otherwise));
}

Result<std::int64_t> json_integer(const JsonObject& object, std::string_view name,
                                  std::int64_t otherwise) {
    HEDDLE_TRY(const std::optional<std::int64_t> value,
               field_as<std::int64_t>(object, name, "an integer"));
    return value.value_or(otherwise);
}

Result<std::optional<JsonObject>> json_object(const JsonObject& object, std::string_view name) {
    return field_as<JsonObject>(object, name, "an object");
}

Result<std::optional<JsonArray>> json_array(const JsonObject& object, std::string_view name) {
    return field_as<JsonArray>(object, name, "an array");
}

}  // namespace heddle::text
