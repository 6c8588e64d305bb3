// Element types of tensors and of weights in model files. The quantised ones are GGUF's: rows are
// cut into blocks of `block_elements` that share scales; the layouts stand in quant_blocks.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heddle::compute {

enum class DType : std::uint8_t {
    kF32,
    kF16,
    kBF16,
    kI8,
    kI32,
    kI64,
    kQ8_0,
    kQ4_0,
    kQ4_K,
    kQ5_K,
    kQ6_K,
};

// "f32", "q4_K", …
[[nodiscard]] std::string_view to_string(DType dtype);

// Elements that share one block, and the block's bytes; 1 and the element's size where not
// quantised.
[[nodiscard]] std::int64_t block_elements(DType dtype);
[[nodiscard]] std::int64_t block_bytes(DType dtype);
[[nodiscard]] inline bool is_quantised(DType dtype) {
    return block_elements(dtype) > 1;
}

// Bytes of one row of `cols` elements; cols must be a multiple of block_elements(dtype).
[[nodiscard]] std::int64_t row_bytes(DType dtype, std::int64_t cols);

}  // namespace heddle::compute
