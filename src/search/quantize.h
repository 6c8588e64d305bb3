// int8 codes of a vector: code = round(x / scale) with scale = max|x| / 127.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "search/dot.h"

namespace heddle::search {

[[nodiscard]] constexpr std::size_t code_stride(std::size_t dimensions) {
    return (dimensions + kCodeStride - 1) / kCodeStride * kCodeStride;
}

// Writes code_stride(vector.size()) codes, padded with zeros; returns the scale. A vector that is
// not finite counts as zero.
float quantize(std::span<const float> vector, std::int8_t* codes);

}  // namespace heddle::search
