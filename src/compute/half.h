// 16-bit floats by hand, for code that may not assume F16C: conversions round to nearest even and
// keep infinities and NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace heddle::compute {

[[nodiscard]] inline float f16_to_f32(std::uint16_t h) {
    const std::uint32_t sign = (std::uint32_t{h} & 0x8000U) << 16;
    const std::uint32_t magnitude = h & 0x7FFFU;
    if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude << 13));
    // Scaling by 2^112 moves the exponent's bias and makes subnormals normal at once.
    const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1.0p112F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
}

[[nodiscard]] inline std::uint16_t f32_to_f16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
    if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
    if (magnitude < 0x38800000U) {
        // Subnormal result: adding 0.5 lets the float adder round at the right place.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        const std::uint32_t rounded = std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U;
        return static_cast<std::uint16_t>(sign | rounded);
    }
    const std::uint32_t odd = (magnitude >> 13) & 1U;
    const std::uint32_t rounded = (magnitude - 0x38000000U + 0xFFFU + odd) >> 13;
    return static_cast<std::uint16_t>(sign | rounded);
}

[[nodiscard]] inline float bf16_to_f32(std::uint16_t b) {
    return std::bit_cast<float>(std::uint32_t{b} << 16);
}

[[nodiscard]] inline std::uint16_t f32_to_bf16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    }
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace heddle::compute
