// The left side of a linear, packed for tile products: cut into tiles of a few rows, each laid out
// so that a kernel reads one stream, and rounded to integers per chunk where the weight is
// quantised, or to bf16 where that was asked for.
#pragma once

#include <cstdint>

#include "compute/cpu/kernels.h"
#include "compute/tensor.h"

namespace heddle::compute::cpu {

// What a weight's format is multiplied with.
enum class ActivationKind { kFloats, kHalves, kWords, kBytes };

// Columns of a sub-block whose activations are summed for the weights' mins: 16 or 32.
[[nodiscard]] int min_block_cols(PanelFormat format);

// Memory for packed activations, reused from op to op; not thread-safe while it grows.
class PackedActivations {
public:
    // Room for x [m, k] in this shape; grows the memory if it must.
    void prepare(ActivationKind kind, int rows_max, int sum_cols, std::int64_t m, std::int64_t k);

    [[nodiscard]] std::int64_t tiles() const { return (m_ + rows_max_ - 1) / rows_max_; }
    [[nodiscard]] int rows_max() const { return rows_max_; }
    [[nodiscard]] int tile_rows(std::int64_t tile) const {
        const std::int64_t left = m_ - tile * rows_max_;
        return static_cast<int>(left < rows_max_ ? left : rows_max_);
    }

    // Packs one tile of x. Tiles may be packed by different threads at the same time.
    void pack_tile(const Kernels& kernels, const ConstTensor& x, std::int64_t tile);

    [[nodiscard]] const float* floats(std::int64_t tile, std::int64_t chunk) const;
    [[nodiscard]] const std::uint16_t* halves(std::int64_t tile, std::int64_t chunk) const;
    [[nodiscard]] WordTile words(std::int64_t tile, std::int64_t chunk) const;
    [[nodiscard]] ByteTile bytes(std::int64_t tile, std::int64_t chunk) const;

    // Bytes that prepare() takes at most for x [m, k] of any kind.
    [[nodiscard]] static std::size_t bytes_max(std::int64_t m, std::int64_t k);
    void reserve(std::size_t bytes);

private:
    // Elements before a tile's chunk.
    [[nodiscard]] std::int64_t offset(std::int64_t tile, std::int64_t chunk) const;
    [[nodiscard]] float* scale(std::int64_t tile, std::int64_t chunk) const;
    [[nodiscard]] std::int16_t* sums(std::int64_t tile, std::int64_t chunk) const;
    void pack_float_tile(const ConstTensor& x, std::int64_t tile);
    void pack_rounded_row(const Kernels& kernels, const float* x, std::int64_t tile, int row);

    ActivationKind kind_ = ActivationKind::kFloats;
    int rows_max_ = 1;
    int sum_cols_ = 32;
    std::int64_t m_ = 0;
    std::int64_t k_ = 0;
    std::int64_t padded_ = 0;  // k rounded up to whole blocks of 32 for integers
    std::int64_t chunks_ = 0;
    Buffer buffer_;
    std::byte* elements_ = nullptr;  // [chunk][tile][cols][rows]: what one pass reads lies together
    float* scales_ = nullptr;        // [chunk][tile][rows]
    std::int16_t* sums_ = nullptr;   // [chunk][tile][pair][rows][2]
};

}  // namespace heddle::compute::cpu
