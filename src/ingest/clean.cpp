#include "ingest/clean.h"

#include <array>
#include <cstdint>

#include "text/utf8.h"

namespace heddle::ingest {
namespace {

constexpr char32_t kSymbolBullet = 0xF0B7;  // where Symbol and Wingdings keep their bullet

constexpr std::array<std::string_view, 7> kLatinLigatures = {"ff",  "fi", "fl", "ffi",
                                                             "ffl", "st", "st"};

bool is_space(char32_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

// Takes no room and carries no meaning of its own: soft hyphens, zero-width characters, marks of
// direction, tags (which can smuggle text past the eye), non-characters.
bool is_invisible(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFF) ||
           (c >= 0xE0000 && c <= 0xE0FFF) || (c & 0xFFFE) == 0xFFFE;
}

bool is_private(char32_t c) {
    return (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xF0000 && c <= 0x10FFFF);
}

// The number of bytes of a dot leader at `at`: four or more dots, spaces between them allowed.
std::size_t leader_length(std::string_view text, std::size_t at) {
    std::size_t dots = 0;
    std::size_t end = at;
    for (std::size_t i = at; i < text.size() && (text[i] == '.' || text[i] == ' '); ++i) {
        if (text[i] != '.') continue;
        ++dots;
        end = i + 1;
    }
    return dots >= 4 ? end - at : 0;
}

void append_space(std::string& out) {
    if (!out.empty() && out.back() != ' ') out += ' ';
}

std::string collapse_spaces(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto [code_point, length, well_formed] = text::decode_utf8(text, i);
        if (is_space(code_point))
            append_space(out);
        else
            out += text.substr(i, length);
        i += length;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
    std::string out;
    for (;;) {
        const std::size_t found = text.find(what);
        out += text.substr(0, found);
        if (found == std::string_view::npos) return out;
        out += with;
        text.remove_prefix(found + what.size());
    }
}

}  // namespace

void append_clean(std::string& out, char32_t c) {
    if (c > ' ' && c < 0x7F) {
        out += static_cast<char>(c);
    } else if (is_space(c)) {
        out += ' ';
    } else if (c >= 0xFB00 && c <= 0xFB06) {
        out += kLatinLigatures[c - 0xFB00];
    } else if (c == kSymbolBullet) {
        out += "•";
    } else if (!is_invisible(c) && !is_private(c) && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF)) {
        text::append_utf8(out, c);
    }
}

std::string clean_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        if (const std::size_t leader = text[i] == '.' ? leader_length(text, i) : 0; leader > 0) {
            append_space(out);
            out += "…";
            i += leader;
            continue;
        }
        const auto [code_point, length, well_formed] = text::decode_utf8(text, i);
        if (is_space(code_point))
            append_space(out);
        else
            append_clean(out, code_point);
        i += length;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::string clean_as_chapter(std::string_view text) {
    std::string out = collapse_spaces(text);
    out = replaced(out, ". ,", "");
    out = replaced(out, "..", ".");
    return replaced(out, ". .", ".");
}

}  // namespace heddle::ingest
