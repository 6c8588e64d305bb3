// Field values with parameters: `form-data; name="file"; filename="a b.pdf"`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heddle::http {

struct FieldValue {
    std::string value;  // before the first semicolon, trimmed
    std::vector<std::pair<std::string, std::string>> parameters;

    // The first of that name, names compared without case.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

// Never fails: what is no parameter is left out. Quoted strings lose their quotes; browsers'
// %22, %0D and %0A in file names (WHATWG) become the characters they stand for.
[[nodiscard]] FieldValue parse_field_value(std::string_view text);

}  // namespace heddle::http
