#include "markup/find_urls.h"

#include <algorithm>

#include "markup/prose_scanner.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::markup {

DecodedProse::DecodedProse(std::string_view utf8) : utf8_(utf8) {
    points_.reserve(utf8.size());
    bytes_.reserve(utf8.size() + 1);
    for (std::size_t i = 0; i < utf8.size();) {
        const text::Utf8Character character = text::decode_utf8(utf8, i);
        points_.push_back(character.code_point);
        bytes_.push_back(i);
        i += character.length;
    }
    bytes_.push_back(utf8.size());
}

bool DecodedProse::starts_with(std::size_t index, std::string_view ascii) const {
    for (std::size_t i = 0; i < ascii.size(); ++i) {
        char32_t c = at(index + i);
        if (c >= U'A' && c <= U'Z') c += 32;
        if (c != static_cast<char32_t>(ascii[i])) return false;
    }
    return true;
}

std::string lower_utf8(std::string_view utf8) {
    std::string lower;
    for (std::size_t i = 0; i < utf8.size();) {
        const text::Utf8Character character = text::decode_utf8(utf8, i);
        text::append_lower(lower, character.code_point);
        i += character.length;
    }
    return lower;
}

std::vector<FoundUrl> find_urls(std::string_view text, FindUrlOptions options) {
    const DecodedProse prose(text.substr(0, text::floor_utf8(text, kProseBytesMax)));
    const auto spans = options.convention == UrlConvention::kProse ? scan_prose(prose, options)
                                                                   : scan_posts(prose, options);
    std::vector<FoundUrl> found;
    found.reserve(spans.size());
    for (const Span& span : spans) {
        found.push_back({prose.byte_at(span.begin), prose.byte_at(span.end)});
    }
    return found;
}

namespace {

bool is_east_asian(char32_t c) {
    const auto character = text::class_of(c);
    return character.has(text::CharacterFlag::kHan) || character.has(text::CharacterFlag::kKana) ||
           character.has(text::CharacterFlag::kHangul) || (c >= 0x3000 && c <= 0x303F) ||
           (c >= 0xFF00 && c <= 0xFFEF);
}

// "https://example.com/aを読んで" → "https://example.com/a". A host may be in any script, and a
// path that goes on in ASCII behind such letters is taken to mean them.
std::string_view before_east_asian_text(std::string_view url) {
    const auto authority = url.find("://");
    if (authority == std::string_view::npos) return url;
    const auto path = url.find_first_of("/?#", authority + 3);
    std::size_t cut = url.size();
    for (std::size_t i = std::min(path, url.size()); i < url.size();) {
        const text::Utf8Character character = text::decode_utf8(url, i);
        if (is_east_asian(character.code_point)) {
            if (cut == url.size()) cut = i;
        } else if (cut != url.size()) {
            return url;
        }
        i += character.length;
    }
    return url.substr(0, cut);
}

}  // namespace

std::vector<Url> urls_of_prompt(std::string_view prompt, std::size_t count_max) {
    std::vector<Url> urls;
    for (const FoundUrl& found : find_urls(prompt)) {
        if (urls.size() >= count_max) break;
        const std::string_view written = prompt.substr(found.begin, found.end - found.begin);
        const auto url = Url::parse(before_east_asian_text(written));
        if (!url || !url->is_http()) continue;
        const bool known = std::any_of(urls.begin(), urls.end(), [&](const Url& other) {
            return other.without_fragment() == url->without_fragment();
        });
        if (!known) urls.push_back(*url);
    }
    return urls;
}

}  // namespace heddle::markup
