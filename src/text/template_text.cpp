#include "text/template_text.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <utf8proc.h>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

bool is_python_space(char32_t c) {
    return class_of(c).is_space() || (c >= 0x1C && c <= 0x1F);
}

void append_upper(std::string& out, char32_t c) {
    if (c == 0xDF) {
        out += "SS";
        return;
    }
    append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
}

template <class Map>
std::string map_text(std::string_view text, const Map& map) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        map(out, c.code_point);
        i += c.length;
    }
    return out;
}

}  // namespace

std::string lower_text(std::string_view text) {
    return map_text(text, [](std::string& out, char32_t c) { append_lower(out, c); });
}

std::string upper_text(std::string_view text) {
    return map_text(text, [](std::string& out, char32_t c) { append_upper(out, c); });
}

std::string title_text(std::string_view text) {
    bool in_word = false;
    return map_text(text, [&in_word](std::string& out, char32_t c) {
        if (in_word) {
            append_lower(out, c);
        } else {
            append_upper(out, c);
        }
        in_word = class_of(c).is_letter();
    });
}

std::string capitalize_text(std::string_view text) {
    bool first = true;
    return map_text(text, [&first](std::string& out, char32_t c) {
        if (std::exchange(first, false)) {
            append_upper(out, c);
        } else {
            append_lower(out, c);
        }
    });
}

std::string strip_text(std::string_view text, std::string_view characters, bool left, bool right) {
    const auto stripped = [characters](std::string_view whole, std::size_t at, Utf8Character c) {
        if (characters.empty()) return is_python_space(c.code_point);
        return characters.find(whole.substr(at, c.length)) != characters.npos;
    };
    while (left && !text.empty()) {
        const Utf8Character c = decode_utf8(text, 0);
        if (!stripped(text, 0, c)) break;
        text.remove_prefix(c.length);
    }
    while (right && !text.empty()) {
        const Utf8Character c = decode_utf8_before(text, text.size());
        if (!stripped(text, text.size() - c.length, c)) break;
        text.remove_suffix(c.length);
    }
    return std::string(text);
}

std::string replace_text(std::string_view text, std::string_view from, std::string_view to,
                         std::int64_t count, std::size_t bytes_max) {
    std::string out;
    std::size_t done = 0;
    if (from.empty()) {  // before every character and at the end
        while (count != 0 && out.size() < bytes_max) {
            out += to;
            --count;
            if (done == text.size()) return out;
            const std::size_t length = decode_utf8(text, done).length;
            out += text.substr(done, length);
            done += length;
        }
        return out.append(text.substr(done));
    }
    for (; count != 0 && out.size() < bytes_max; --count) {
        const std::size_t found = text.find(from, done);
        if (found == text.npos) break;
        out.append(text.substr(done, found - done)).append(to);
        done = found + from.size();
    }
    return out.append(text.substr(done));
}

namespace {

// At rows of white space. What is left uncut keeps the white space at its far end.
std::vector<std::string> split_words(std::string_view text, std::int64_t count, bool from_right) {
    std::vector<std::pair<std::size_t, std::size_t>> words;
    bool in_word = false;
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        const bool space = is_python_space(c.code_point);
        if (!space && !in_word) words.emplace_back(i, i);
        i += c.length;
        if (!space) words.back().second = i;
        in_word = !space;
    }
    std::vector<std::string> parts;
    const auto limit = static_cast<std::size_t>(count);
    const bool limited = count >= 0 && words.size() > limit;
    for (std::size_t i = 0; i < words.size() && !(limited && i == limit); ++i) {
        const auto [begin, end] = words[from_right ? words.size() - 1 - i : i];
        parts.emplace_back(text.substr(begin, end - begin));
    }
    if (limited) {
        parts.emplace_back(from_right ? text.substr(0, words[words.size() - 1 - limit].second)
                                      : text.substr(words[limit].first));
    }
    return parts;
}

}  // namespace

std::vector<std::string> split_text(std::string_view text, std::string_view separator,
                                    std::int64_t count, bool from_right) {
    std::vector<std::string> parts;
    if (separator.empty()) {
        parts = split_words(text, count, from_right);
    } else {
        for (; count != 0; --count) {
            const std::size_t found = from_right ? text.rfind(separator) : text.find(separator);
            if (found == text.npos) break;
            const std::size_t behind = found + separator.size();
            parts.emplace_back(from_right ? text.substr(behind) : text.substr(0, found));
            text = from_right ? text.substr(0, found) : text.substr(behind);
        }
        parts.emplace_back(text);
    }
    if (from_right) std::ranges::reverse(parts);
    return parts;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        std::size_t next = i + c.length;
        const char32_t p = c.code_point;
        const bool breaks = (p >= 0xA && p <= 0xD) || (p >= 0x1C && p <= 0x1E) || p == 0x85 ||
                            p == 0x2028 || p == 0x2029;
        if (breaks) {
            if (p == '\r' && next < text.size() && text[next] == '\n') ++next;
            lines.emplace_back(text.substr(begin, (keep_ends ? next : i) - begin));
            begin = next;
        }
        i = next;
    }
    if (begin < text.size()) lines.emplace_back(text.substr(begin));
    return lines;
}

std::optional<TemplateValue> parse_python_number(std::string_view text) {
    const std::string stripped = strip_text(text, "", true, true);
    const char* begin = stripped.data();
    const char* const end = begin + stripped.size();
    if (stripped.starts_with('+')) ++begin;
    std::int64_t integer = 0;
    const auto whole = std::from_chars(begin, end, integer);
    if (whole.ec == std::errc() && whole.ptr == end && begin != end) return integer;
    double number = 0;
    const auto real = std::from_chars(begin, end, number);
    if (real.ec == std::errc() && real.ptr == end && begin != end) return number;
    return std::nullopt;
}

}  // namespace heddle::text
