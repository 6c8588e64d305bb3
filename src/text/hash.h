// Hashes for the tables of this room: fast on short keys, and not guessable from outside only as
// far as keys come from a vocabulary, never from a client.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace heddle::text {

// The finisher of MurmurHash3 (Appleby, public domain).
[[nodiscard]] inline std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

// Eight bytes at a time, in the manner of FxHash, finished by mix().
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes) {
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
    std::uint64_t hash = bytes.size() * kMultiplier;
    const char* from = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; from += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, from, 8);
        hash = ((hash << 5 | hash >> 59) ^ word) * kMultiplier;
    }
    std::uint64_t tail = 0;
    std::memcpy(&tail, from, left);
    return mix((hash << 5 | hash >> 59) ^ tail);
}

}  // namespace heddle::text
