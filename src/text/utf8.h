// UTF-8 by the Unicode standard (chapter 3.9): no surrogates, no overlong forms, nothing above
// U+10FFFF. Pure functions of bytes; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::text {

// U+FFFD, what an undecodable byte sequence is replaced by, as a code point and as UTF-8.
inline constexpr char32_t kReplacement = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

// One code point read from bytes. For an ill-formed sequence `code_point` is kReplacement,
// `well_formed` is false and `length` is that of the maximal subpart (at least 1), so that a
// reader that always advances by `length` replaces exactly as the standard recommends.
struct Utf8Character {
    char32_t code_point = 0;
    std::uint8_t length = 0;
    bool well_formed = true;
};

// Reads at `position` < text.size().
[[nodiscard]] Utf8Character decode_utf8(std::string_view text, std::size_t position);

// The code point that ends right before `position` > 0 of well-formed text.
[[nodiscard]] Utf8Character decode_utf8_before(std::string_view text, std::size_t position);

void append_utf8(std::string& out, char32_t code_point);

[[nodiscard]] bool is_valid_utf8(std::string_view text);

// Ill-formed sequences become U+FFFD, one for each maximal subpart.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

// The length of the longest prefix that does not end inside a character: what may be sent on
// while more bytes are to come. Ill-formed bytes that no continuation can mend count as complete.
[[nodiscard]] std::size_t complete_utf8_prefix(std::string_view text);

// The number of code points of well-formed text.
[[nodiscard]] std::size_t count_code_points(std::string_view text);

// The largest character boundary of well-formed text at or below `position`.
[[nodiscard]] inline std::size_t floor_utf8(std::string_view text, std::size_t position) {
    if (position >= text.size()) return text.size();
    while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) --position;
    return position;
}

}  // namespace heddle::text
