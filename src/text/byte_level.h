// The byte-level alphabet of GPT-2: every byte has a printable character, so that a vocabulary of
// arbitrary bytes can be written as text (" the" is "Ġthe").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heddle::text {

// The bytes that a piece stands for; nothing when a character is not of the alphabet.
[[nodiscard]] std::optional<std::string> byte_level_bytes(std::string_view piece);

// The piece that stands for bytes.
[[nodiscard]] std::string byte_level_piece(std::string_view bytes);

// The byte of a byte fallback piece such as <0xE4>.
[[nodiscard]] std::optional<unsigned char> byte_of_piece(std::string_view piece);

}  // namespace heddle::text
