// JSON Schema's `format` as regular expressions over the whole text.
#pragma once

#include <cstdint>
#include <string_view>

namespace heddle::engine::grammar {

enum class FormatKind : std::uint8_t {
    kPattern,      // `pattern` describes it
    kUnsupported,  // the standard defines it and we cannot enforce it
    kAnnotation,   // not in the standard: says nothing about the text
};
struct StringFormat {
    FormatKind kind = FormatKind::kAnnotation;
    std::string_view pattern;
};
[[nodiscard]] StringFormat string_format(std::string_view name);

}  // namespace heddle::engine::grammar
