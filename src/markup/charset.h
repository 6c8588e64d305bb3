// Bytes of a page to UTF-8, by the encoding sniffing of the HTML standard: byte order mark, the
// Content-Type's charset, a <meta> near the beginning; then what the bytes look like.
#pragma once

#include <string>
#include <string_view>

namespace heddle::markup {

struct DecodedText {
    std::string utf8;      // always well formed; what could not be decoded is U+FFFD
    std::string encoding;  // the standard's name, e.g. "windows-1252"
};

// The value of charset= in a Content-Type; empty when there is none.
[[nodiscard]] std::string_view charset_of(std::string_view content_type);

// `charset` is what the transport said, or empty. `is_html` lets a <meta> speak.
[[nodiscard]] DecodedText decode_text(std::string_view bytes, std::string_view charset,
                                      bool is_html);

}  // namespace heddle::markup
