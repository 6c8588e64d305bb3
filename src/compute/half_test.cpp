// All 65,536 patterns survive the way to fp32 and back, and rounding is to nearest even, compared
// with exact arithmetic in double.
#include "compute/half.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"

namespace heddle::compute {
namespace {

bool is_nan_f16(std::uint32_t h) {
    return (h & 0x7FFFU) > 0x7C00U;
}
bool is_nan_bf16(std::uint32_t b) {
    return (b & 0x7FFFU) > 0x7F80U;
}

TEST(Half, EveryPatternSurvivesTheRoundTrip) {
    for (std::uint32_t pattern = 0; pattern < 0x10000U; ++pattern) {
        const auto bits = static_cast<std::uint16_t>(pattern);
        if (is_nan_f16(pattern)) {
            EXPECT_TRUE(std::isnan(f16_to_f32(bits)));
            EXPECT_TRUE(is_nan_f16(f32_to_f16(f16_to_f32(bits))));
        } else {
            EXPECT_EQ(f32_to_f16(f16_to_f32(bits)), bits);
        }
        if (is_nan_bf16(pattern)) {
            EXPECT_TRUE(is_nan_bf16(f32_to_bf16(bf16_to_f32(bits))));
        } else {
            EXPECT_EQ(f32_to_bf16(bf16_to_f32(bits)), bits);
        }
    }
}

TEST(Half, KnownValues) {
    EXPECT_EQ(f16_to_f32(0x3C00), 1.0F);
    EXPECT_EQ(f16_to_f32(0x0001), 0x1.0p-24F);
    EXPECT_EQ(f16_to_f32(0x7BFF), 65504.0F);
    EXPECT_EQ(f16_to_f32(0xFC00), -INFINITY);
    EXPECT_EQ(f32_to_f16(65520.0F), 0x7C00);  // halfway to 65536 rounds to the even side
    EXPECT_EQ(f32_to_f16(0x1.0p-25F), 0);     // halfway to the smallest, zero is even
    EXPECT_EQ(f32_to_f16(0x1.8p-25F), 1);
}

// No representable neighbour is nearer than the rounded value; a tie goes to the even pattern.
TEST(Half, RoundsToNearestEven) {
    Rng rng(20);
    for (int i = 0; i < 200'000; ++i) {
        const double magnitude =
            std::ldexp(1.0 + rng.uniform(), static_cast<int>(rng.below(38)) - 24);
        const auto value = static_cast<float>(magnitude);
        const std::uint16_t h = f32_to_f16(value);
        if (h == 0x7C00U) continue;
        const double error = std::abs(f16_to_f32(h) - static_cast<double>(value));
        const double above =
            std::abs(f16_to_f32(static_cast<std::uint16_t>(h + 1)) - static_cast<double>(value));
        EXPECT_LE(error, above);
        if (h > 0) {
            const double below = std::abs(f16_to_f32(static_cast<std::uint16_t>(h - 1)) -
                                          static_cast<double>(value));
            EXPECT_LE(error, below);
            if (error == below) EXPECT_EQ(h % 2, 0);
        }
        if (error == above) EXPECT_EQ(h % 2, 0);
    }
}

}  // namespace
}  // namespace heddle::compute
