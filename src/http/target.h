// The target of a request: path segments and query, percent-decoded. Decoded once, after the
// split, so that an encoded slash stays inside its segment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heddle::http {

// Nothing for a malformed escape. With plus_is_space as in forms.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Every byte but unreserved characters (RFC 3986, 2.3) as %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

struct Target {
    std::string path;                   // as sent, without the query
    std::vector<std::string> segments;  // "/a/b" → {"a","b"}; "/" → {""}; "/a/" → {"a",""}
    std::vector<std::pair<std::string, std::string>> query;
    // Of the absolute form only: its authority, which takes the place of the Host field.
    std::string authority;

    // The first parameter of that name.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

// Origin form or absolute form. Refuses dot segments, NUL, what is no UTF-8, and more than 100
// parameters.
[[nodiscard]] Result<Target> parse_target(std::string_view text);

}  // namespace heddle::http
