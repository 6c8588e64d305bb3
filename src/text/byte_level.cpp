#include "text/byte_level.h"

#include <array>
#include <charconv>
#include <cstdint>

#include "text/utf8.h"

namespace heddle::text {
namespace {

// Printable Latin-1 stands for itself, the other 68 bytes for U+0100 and up, in order.
constexpr bool is_itself(unsigned byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char16_t, 256> make_characters() {
    std::array<char16_t, 256> characters{};
    char16_t next = 256;
    for (unsigned byte = 0; byte < 256; ++byte) {
        characters[byte] = is_itself(byte) ? static_cast<char16_t>(byte) : next++;
    }
    return characters;
}

constexpr std::array<char16_t, 256> kCharacters = make_characters();

constexpr std::array<std::int16_t, 324> make_bytes() {
    std::array<std::int16_t, 324> bytes{};
    bytes.fill(-1);
    for (unsigned byte = 0; byte < 256; ++byte) {
        bytes[kCharacters[byte]] = static_cast<std::int16_t>(byte);
    }
    return bytes;
}

constexpr std::array<std::int16_t, 324> kBytes = make_bytes();

}  // namespace

std::optional<std::string> byte_level_bytes(std::string_view piece) {
    std::string bytes;
    bytes.reserve(piece.size());
    for (std::size_t i = 0; i < piece.size();) {
        const Utf8Character c = decode_utf8(piece, i);
        if (c.code_point >= kBytes.size() || kBytes[c.code_point] < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(kBytes[c.code_point]));
        i += c.length;
    }
    return bytes;
}

std::string byte_level_piece(std::string_view bytes) {
    std::string piece;
    for (const char c : bytes) append_utf8(piece, kCharacters[static_cast<unsigned char>(c)]);
    return piece;
}

std::optional<unsigned char> byte_of_piece(std::string_view piece) {
    if (piece.size() != 6 || !piece.starts_with("<0x") || !piece.ends_with('>')) {
        return std::nullopt;
    }
    const char* const end = piece.data() + 5;
    unsigned char byte = 0;
    const auto result = std::from_chars(piece.data() + 3, end, byte, 16);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
    return byte;
}

}  // namespace heddle::text
