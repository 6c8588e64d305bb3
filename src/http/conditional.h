// Conditional requests and ranges (RFC 9110, 13 and 14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::http {

[[nodiscard]] std::string quoted_etag(std::string_view etag);

// Whether an If-None-Match value names the entity tag (weak comparison), or is "*".
[[nodiscard]] bool matches_etag(std::string_view if_none_match, std::string_view etag);

struct RangeOutcome {
    enum class Kind {
        kWhole,  // no range, several ranges, or one that is to be ignored
        kPart,
        kUnsatisfiable,
    };
    Kind kind = Kind::kWhole;
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // inclusive
};

// A Range value against a content of that many bytes.
[[nodiscard]] RangeOutcome parse_range(std::string_view value, std::uint64_t total);

}  // namespace heddle::http
