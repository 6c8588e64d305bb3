// Python's string methods, for chat templates. Pure functions of well-formed UTF-8; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/template_value.h"

namespace heddle::text {

[[nodiscard]] std::string lower_text(std::string_view text);
[[nodiscard]] std::string upper_text(std::string_view text);
[[nodiscard]] std::string title_text(std::string_view text);
[[nodiscard]] std::string capitalize_text(std::string_view text);

// Without any of `characters` at its ends; white space where there are none.
[[nodiscard]] std::string strip_text(std::string_view text, std::string_view characters, bool left,
                                     bool right);
// At most `count` replacements, all below 0; stops once the result has `bytes_max`.
[[nodiscard]] std::string replace_text(std::string_view text, std::string_view from,
                                       std::string_view to, std::int64_t count,
                                       std::size_t bytes_max);
// At `separator`, or where it is empty at white space; at most `count` cuts, all below 0.
[[nodiscard]] std::vector<std::string> split_text(std::string_view text, std::string_view separator,
                                                  std::int64_t count, bool from_right);
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text, bool keep_ends);

// What int() and float() read.
[[nodiscard]] std::optional<TemplateValue> parse_python_number(std::string_view text);

}  // namespace heddle::text
