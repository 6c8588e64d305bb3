// Reading of model files' JSON: absent and null fields take their default, fields of another type
// are errors that name them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/result.h"

namespace heddle::text {

using JsonElement = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

// How deep a tokenizer's or a template's JSON may nest.
inline constexpr std::size_t kJsonDepthMax = 64;

// The root of `bytes` as an object, which lives as long as the parser. `what` names the file.
[[nodiscard]] Result<JsonObject> parse_json_object(simdjson::dom::parser& parser,
                                                   std::string_view bytes, std::string_view what);

// The field, unless it is absent or null.
[[nodiscard]] std::optional<JsonElement> json_field(const JsonObject& object,
                                                    std::string_view name);

[[nodiscard]] Result<bool> json_bool(const JsonObject& object, std::string_view name,
                                     bool otherwise);
[[nodiscard]] Result<std::string> json_string(const JsonObject& object, std::string_view name,
                                              std::string_view otherwise);
[[nodiscard]] Result<std::int64_t> json_integer(const JsonObject& object, std::string_view name,
                                                std::int64_t otherwise);
// Null where the field is absent.
[[nodiscard]] Result<std::optional<JsonObject>> json_object(const JsonObject& object,
                                                            std::string_view name);
[[nodiscard]] Result<std::optional<JsonArray>> json_array(const JsonObject& object,
                                                          std::string_view name);

// "tokenizer.json: <what>"
[[nodiscard]] tl::unexpected<Error> corrupt_tokenizer(std::string what);

}  // namespace heddle::text
