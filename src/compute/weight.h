// Weights on their way into a backend. A model file hands over WeightSource (mapped bytes in any
// dtype); the backend answers with a Weight it may have copied, repacked or converted, or which
// may still read the mapped bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "compute/dtype.h"

namespace heddle::compute {

// Row-major [rows, cols], rows = outputs (or vocabulary), as safetensors and GGUF store a
// linear's weight. cols is a multiple of block_elements(dtype); data needs no alignment.
struct WeightSource {
    std::span<const std::byte> data;
    DType dtype = DType::kF32;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
};

// Arithmetic of a linear. kNative: float weights are multiplied in fp32 (their stored precision,
// fp32 activations and sums); quantised ones with activations rounded to integers per block, as
// their formats mean it. kBF16 and kI8 trade precision for speed where the caller has measured
// that it may (encoders): bf16 products with fp32 sums; per-row int8 weights and activations.
enum class Arithmetic { kNative, kBF16, kI8 };

// Opaque, made and understood by one backend only; destroyed before it. Immutable, so that many
// models' steps may share it.
class Weight {
public:
    virtual ~Weight() = default;
    Weight(const Weight&) = delete;
    Weight& operator=(const Weight&) = delete;

    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t cols() const { return cols_; }
    [[nodiscard]] DType source_dtype() const { return dtype_; }
    // Memory of its own, without mapped bytes that it reads in place.
    [[nodiscard]] virtual std::size_t owned_bytes() const = 0;
    // How it is multiplied, for logs: "avx2 q8_0 panels", …
    [[nodiscard]] virtual std::string_view kind() const = 0;

protected:
    Weight(std::int64_t rows, std::int64_t cols, DType dtype)
        : rows_(rows), cols_(cols), dtype_(dtype) {}

private:
    std::int64_t rows_;
    std::int64_t cols_;
    DType dtype_;
};

using WeightPtr = std::unique_ptr<const Weight>;

}  // namespace heddle::compute
