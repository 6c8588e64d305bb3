// URLs in prose, as people write them: with brackets and punctuation around them, in Markdown
// links, with names in any script.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "markup/url.h"

namespace heddle::markup {

// Longer text is looked at up to here.
inline constexpr std::size_t kProseBytesMax = std::size_t{1} << 20;

enum class UrlConvention {
    // Generous, as linkify-it: paths may hold any letters; a scheme makes any host a host.
    kProse,
    // As twitter-text: hosts end in a known domain, and a URL ends where Chinese, Japanese or
    // Korean text goes on without a space.
    kPosts,
};

struct FindUrlOptions {
    UrlConvention convention = UrlConvention::kProse;
    // Also "example.com/x", "//example.com" and 192.168.1.1 without a scheme.
    bool bare_domains = false;
    // Also ftp:// and mail addresses.
    bool other_schemes = false;
};

struct FoundUrl {
    std::size_t begin = 0;  // bytes in the text
    std::size_t end = 0;
};

// In order of appearance; never overlapping.
[[nodiscard]] std::vector<FoundUrl> find_urls(std::string_view text, FindUrlOptions options = {});

// The http and https URLs that a prompt names, parsed, each once, at most `count_max`. A URL that
// Chinese, Japanese or Korean text follows without a space ends before it.
[[nodiscard]] std::vector<Url> urls_of_prompt(std::string_view prompt, std::size_t count_max);

}  // namespace heddle::markup
