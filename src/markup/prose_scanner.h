// The two conventions by which find_urls() reads, each over the same decoded text. Internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "markup/find_urls.h"

namespace heddle::markup {

// Text as code points with the byte where each begins.
class DecodedProse {
public:
    explicit DecodedProse(std::string_view utf8);

    [[nodiscard]] std::size_t size() const { return points_.size(); }
    // U+0000 past the end, which is no character of any URL.
    [[nodiscard]] char32_t at(std::size_t index) const {
        return index < points_.size() ? points_[index] : U'\0';
    }
    [[nodiscard]] std::size_t byte_at(std::size_t index) const { return bytes_[index]; }
    [[nodiscard]] std::string_view text(std::size_t begin, std::size_t end) const {
        return utf8_.substr(bytes_[begin], bytes_[end] - bytes_[begin]);
    }
    // Without regard to ASCII case.
    [[nodiscard]] bool starts_with(std::size_t index, std::string_view ascii) const;

private:
    std::string_view utf8_;
    std::vector<char32_t> points_;
    std::vector<std::size_t> bytes_;
};

struct Span {
    std::size_t begin = 0;  // code points
    std::size_t end = 0;
};

// All URLs of the text by linkify-it's rules.
[[nodiscard]] std::vector<Span> scan_prose(const DecodedProse& text, const FindUrlOptions& options);
// The same by twitter-text's.
[[nodiscard]] std::vector<Span> scan_posts(const DecodedProse& text, const FindUrlOptions& options);

[[nodiscard]] std::string lower_utf8(std::string_view text);

}  // namespace heddle::markup
