#include "text/word_scanner.h"

#include <array>
#include <cstdint>

#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

// The classes that the expressions tell apart, as bits.
enum Class : std::uint8_t {
    kLetter = 1,  // \p{L}
    kNumber = 2,  // \p{N}
    kSpace = 4,   // \s
    kBreak = 8,   // [\r\n]
    kUpper = 16,  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
    kLower = 32,  // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
};

std::uint8_t classify_slowly(char32_t c) {
    const CharacterClass properties = class_of(c);
    const Category category = properties.category();
    std::uint8_t bits = 0;
    if (properties.is_letter()) bits |= kLetter;
    if (properties.is_number()) bits |= kNumber;
    if (properties.is_space()) bits |= kSpace;
    if (c == '\r' || c == '\n') bits |= kBreak;
    const bool either =
        category == Category::kLm || category == Category::kLo || properties.is_mark();
    if (either || category == Category::kLu || category == Category::kLt) bits |= kUpper;
    if (either || category == Category::kLl) bits |= kLower;
    return bits;
}

constexpr std::array<std::uint8_t, 128> kAscii = [] {
    std::array<std::uint8_t, 128> bits{};
    for (unsigned c = 0; c < 128; ++c) {
        if (c >= 'a' && c <= 'z') bits[c] = kLetter | kLower;
        if (c >= 'A' && c <= 'Z') bits[c] = kLetter | kUpper;
        if (c >= '0' && c <= '9') bits[c] = kNumber;
        if (c == ' ' || (c >= 9 && c <= 13)) bits[c] = kSpace;
        if (c == '\r' || c == '\n') bits[c] |= kBreak;
    }
    return bits;
}();

struct Character {
    std::uint8_t bits = 0;  // 0 at the end of the text too
    std::uint8_t length = 0;

    [[nodiscard]] bool is(std::uint8_t any) const { return (bits & any) != 0; }
    [[nodiscard]] bool is_other() const {  // [^\s\p{L}\p{N}]
        return length != 0 && !is(kSpace | kLetter | kNumber);
    }
};

Character character_at(std::string_view text, std::size_t position) {
    if (position >= text.size()) return {};
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte < 128) return {kAscii[byte], 1};
    const Utf8Character c = decode_utf8(text, position);
    return {classify_slowly(c.code_point), c.length};
}

std::size_t skip(std::string_view text, std::size_t position, std::uint8_t any) {
    for (;;) {
        const Character c = character_at(text, position);
        if (!c.is(any)) return position;
        position += c.length;
    }
}

std::size_t skip_other(std::string_view text, std::size_t position) {
    for (;;) {
        const Character c = character_at(text, position);
        if (!c.is_other()) return position;
        position += c.length;
    }
}

// 's 't 're 've 'm 'll 'd, or `position` where there is none. In any case, if asked, where the
// long s (U+017F) is an s.
std::size_t skip_contraction(std::string_view text, std::size_t position, bool any_case) {
    if (position >= text.size() || text[position] != '\'') return position;
    const std::string_view rest = text.substr(position + 1, 2);
    const auto letter = [&](std::size_t i) -> char {
        if (i >= rest.size()) return 0;
        const char c = rest[i];
        return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    const char first = letter(0);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return position + 2;
    if (any_case && rest == "\xC5\xBF") return position + 3;
    const char second = letter(1);
    const bool pair =
        ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
    return pair ? position + 3 : position;
}

// \s+(?!\S)|\s+ at white space: all of it but the last character, which goes with the word behind.
std::size_t skip_space(std::string_view text, std::size_t position) {
    std::size_t end = position;
    std::size_t last = position;
    for (Character c = character_at(text, end); c.is(kSpace); c = character_at(text, end)) {
        last = end;
        end += c.length;
    }
    return end == text.size() || last == position ? end : last;
}

// \s*[\r\n]+ at white space: up to the last line break in it, or `position` where it has none.
std::size_t skip_line_breaks(std::string_view text, std::size_t position) {
    std::size_t end = position;
    for (Character c = character_at(text, position); c.is(kSpace);
         c = character_at(text, position)) {
        position += c.length;
        if (c.is(kBreak)) end = position;
    }
    return end;
}

// What the expressions of GPT-4 and later share behind their letters and numbers:
// ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`; `trailing` are the characters of the
// first bracket behind the plus.
std::size_t scan_rest(std::string_view text, std::size_t position, std::string_view trailing) {
    const std::size_t behind_space = position + (text[position] == ' ' ? 1 : 0);
    std::size_t end = skip_other(text, behind_space);
    if (end > behind_space) {
        while (end < text.size() && trailing.find(text[end]) != trailing.npos) ++end;
        return end;
    }
    end = skip_line_breaks(text, position);
    return end > position ? end : skip_space(text, position);
}

// Whether [^\r\n\p{L}\p{N}] matches.
bool may_lead_word(Character c) {
    return c.length != 0 && !c.is(kBreak | kLetter | kNumber);
}

std::size_t scan_numbers(std::string_view text, std::size_t position, int count_max) {
    for (int i = 0; i < count_max; ++i) {
        const Character c = character_at(text, position);
        if (!c.is(kNumber)) break;
        position += c.length;
    }
    return position;
}

std::size_t scan_cl100k(std::string_view text, std::size_t position, int digits_max) {
    std::size_t end = skip_contraction(text, position, true);
    if (end > position) return end;
    const Character first = character_at(text, position);
    if (first.is(kNumber)) return scan_numbers(text, position, digits_max);
    if (first.is(kLetter)) return skip(text, position, kLetter);
    if (may_lead_word(first)) {
        const std::size_t behind = position + first.length;
        end = skip(text, behind, kLetter);
        if (end > behind) return end;
    }
    return scan_rest(text, position, "\r\n");
}

// [upper]*[lower]+ with its backtracking, or `position`: some letters and all marks are both.
std::size_t scan_lower_word(std::string_view text, std::size_t position) {
    std::size_t end = position;
    std::size_t behind_last_both = position;
    for (Character c = character_at(text, end); c.is(kUpper); c = character_at(text, end)) {
        end += c.length;
        if (c.is(kLower)) behind_last_both = end;
    }
    const std::size_t lower_end = skip(text, end, kLower);
    return lower_end > end ? lower_end : behind_last_both;
}

// [upper]+[lower]*, or `position`.
std::size_t scan_upper_word(std::string_view text, std::size_t position) {
    const std::size_t end = skip(text, position, kUpper);
    return end > position ? skip(text, end, kLower) : position;
}

}  // namespace

std::size_t scan_gpt2_word(std::string_view text, std::size_t position) {
    const std::size_t end = skip_contraction(text, position, false);
    if (end > position) return end;
    const std::size_t word = position + (text[position] == ' ' ? 1 : 0);
    const Character first = character_at(text, word);
    if (first.is(kLetter)) return skip(text, word, kLetter);
    if (first.is(kNumber)) return skip(text, word, kNumber);
    if (first.is_other()) return skip_other(text, word);
    return skip_space(text, position);
}

std::size_t scan_llama3_word(std::string_view text, std::size_t position) {
    return scan_cl100k(text, position, 3);
}

std::size_t scan_qwen2_word(std::string_view text, std::size_t position) {
    return scan_cl100k(text, position, 1);
}

std::size_t scan_o200k_word(std::string_view text, std::size_t position) {
    const Character first = character_at(text, position);
    const bool leads = may_lead_word(first);
    const std::size_t behind = position + first.length;
    for (const auto scan : {scan_lower_word, scan_upper_word}) {
        for (const std::size_t begin : {leads ? behind : position, position}) {
            const std::size_t end = scan(text, begin);
            if (end > begin) return skip_contraction(text, end, true);
        }
    }
    if (first.is(kNumber)) return scan_numbers(text, position, 3);
    return scan_rest(text, position, "\r\n/");
}

}  // namespace heddle::text
