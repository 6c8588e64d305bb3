// Two kinds of chance: Rng is seeded and repeatable (sampling, tests, jitter), secure_random is
// the kernel's (keys, ids, tokens).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace heddle {

// Fills with bytes from getrandom(2); aborts if the kernel has none to give.
void secure_random(std::span<std::byte> out);

// xoshiro256** (Blackman and Vigna, 2018), seeded through SplitMix64. Same seed, same numbers on
// every machine. Not thread-safe.
class Rng {
public:
    using result_type = std::uint64_t;

    explicit Rng(std::uint64_t seed);

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~std::uint64_t{0}; }
    result_type operator()() { return next(); }

    std::uint64_t next();
    // Uniform in [0, 1) with 53 bits.
    double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    // Uniform in [0, bound); bound > 0. Unbiased.
    std::uint64_t below(std::uint64_t bound);

private:
    std::uint64_t state_[4];
};

}  // namespace heddle
