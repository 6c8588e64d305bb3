// The run-length form of the table behind unicode.h; included by unicode.cpp alone.
#pragma once

#include <array>
#include <cstdint>

namespace heddle::text {

// Runs of code points from U+0000 up: length << 15 | properties, the properties being five bits
// of general category and ten flags in the order of CharacterFlag.
extern const std::array<std::uint64_t, 4145> kUnicodeRuns;

}  // namespace heddle::text
