// Rows of weights in any stored type, decoded to fp32 and to their integers. Plain C++: the
// reference uses it for everything, the CPU backend when it repacks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "compute/dtype.h"
#include "compute/quant_blocks.h"
#include "compute/weight.h"

namespace heddle::compute {

// `row` points to row_bytes(dtype, cols) bytes at any address.
void dequantize_row(DType dtype, const std::byte* row, std::int64_t cols, float* out);

// The 6-bit scale and min of sub-block s (0 … 7) of a Q4_K or Q5_K block.
struct ScaleMin {
    std::uint8_t scale;
    std::uint8_t min;
};
[[nodiscard]] ScaleMin sub_scale_min(const std::uint8_t (&scales)[12], int s);

// The 256 unscaled weights of a block: 0 … 15, 0 … 31, 0 … 63.
void unpack_quants(const BlockQ4K& block, std::uint8_t (&out)[256]);
void unpack_quants(const BlockQ5K& block, std::uint8_t (&out)[256]);
void unpack_quants(const BlockQ6K& block, std::uint8_t (&out)[256]);

// Shape and byte count of a source agree and are in range: 1 <= rows, cols < 2^31, whole blocks,
// a weight dtype.
[[nodiscard]] Result<> check_source(const WeightSource& source);

}  // namespace heddle::compute
