#include "text/utf8.h"

namespace heddle::text {
namespace {

constexpr Utf8Character bad(std::uint8_t length) {
    return {kReplacement, length, false};
}

// The number of bytes that a lead byte announces, 0 for a byte that leads nothing.
constexpr std::uint8_t announced_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return 2;
    if (lead < 0xF0) return 3;
    return lead < 0xF5 ? 4 : 0;
}

// Table 3-7 of the standard: some leads narrow what the second byte may be.
constexpr bool is_second_byte(unsigned char lead, unsigned char byte) {
    switch (lead) {
        case 0xE0:
            return byte >= 0xA0 && byte <= 0xBF;
        case 0xED:
            return byte >= 0x80 && byte <= 0x9F;
        case 0xF0:
            return byte >= 0x90 && byte <= 0xBF;
        case 0xF4:
            return byte >= 0x80 && byte <= 0x8F;
        default:
            return byte >= 0x80 && byte <= 0xBF;
    }
}

}  // namespace

Utf8Character decode_utf8(std::string_view text, std::size_t position) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(position);
    if (lead < 0x80) return {lead, 1, true};
    const std::uint8_t length = announced_length(lead);
    if (length == 0) return bad(1);
    char32_t code_point = lead & (0x7Fu >> length);
    for (std::uint8_t i = 1; i < length; ++i) {
        if (position + i >= text.size()) return bad(i);
        const unsigned char next = byte(position + i);
        const bool fits = i == 1 ? is_second_byte(lead, next) : (next & 0xC0) == 0x80;
        if (!fits) return bad(i);
        code_point = code_point << 6 | (next & 0x3Fu);
    }
    return {code_point, length, true};
}

Utf8Character decode_utf8_before(std::string_view text, std::size_t position) {
    return decode_utf8(text.substr(0, position), floor_utf8(text, position - 1));
}

void append_utf8(std::string& out, char32_t code_point) {
    const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3F));
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

bool is_valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        if (static_cast<unsigned char>(text[i]) < 0x80) {
            ++i;
            continue;
        }
        const Utf8Character c = decode_utf8(text, i);
        if (!c.well_formed) return false;
        i += c.length;
    }
    return true;
}

std::string to_valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        out.append(c.well_formed ? text.substr(i, c.length) : kReplacementUtf8);
        i += c.length;
    }
    return out;
}

std::size_t complete_utf8_prefix(std::string_view text) {
    const std::size_t from = text.size() > 3 ? text.size() - 3 : 0;
    for (std::size_t i = text.size(); i > from; --i) {
        const auto lead = static_cast<unsigned char>(text[i - 1]);
        if ((lead & 0xC0) == 0x80) continue;
        const Utf8Character c = decode_utf8(text, i - 1);
        const bool cut =
            !c.well_formed && announced_length(lead) > 1 && i - 1 + c.length == text.size();
        return cut ? i - 1 : text.size();
    }
    return text.size();
}

std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
}

}  // namespace heddle::text
