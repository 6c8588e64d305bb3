#include "compute/cpu/activations.h"

#include <algorithm>
#include <cstring>

namespace heddle::compute::cpu {
namespace {

constexpr std::int64_t kPairsMax = 8;  // pairs of sub-blocks in a chunk

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

}  // namespace

int min_block_cols(PanelFormat format) {
    return format == PanelFormat::kQ6_K ? 16 : 32;
}

std::size_t PackedActivations::bytes_max(std::int64_t m, std::int64_t k) {
    const std::int64_t chunks = (k + kChunkCols - 1) / kChunkCols;
    const std::int64_t elements = m * round_up(k, 32) * 4;
    const std::int64_t sides = m * chunks * (4 + kPairsMax * 4);
    return static_cast<std::size_t>(elements + sides + 4 * static_cast<int>(kAlignment));
}

void PackedActivations::reserve(std::size_t bytes) {
    if (buffer_.bytes() >= bytes) return;
    buffer_ = Buffer();
    buffer_ = allocate_host(bytes);
}

void PackedActivations::prepare(ActivationKind kind, int rows_max, int sum_cols, std::int64_t m,
                                std::int64_t k) {
    kind_ = kind;
    rows_max_ = rows_max;
    sum_cols_ = sum_cols;
    m_ = m;
    k_ = k;
    padded_ = kind == ActivationKind::kFloats ? k : round_up(k, 32);
    chunks_ = (k + kChunkCols - 1) / kChunkCols;
    reserve(bytes_max(m, k));
    const std::int64_t element = kind == ActivationKind::kFloats  ? 4
                                 : kind == ActivationKind::kBytes ? 1
                                                                  : 2;
    elements_ = static_cast<std::byte*>(buffer_.data());
    std::byte* behind = elements_ + round_up(m * padded_ * element, kAlignment);
    scales_ = reinterpret_cast<float*>(behind);
    behind += round_up(m * chunks_ * 4, kAlignment);
    sums_ = reinterpret_cast<std::int16_t*>(behind);
}

float* PackedActivations::scale(std::int64_t tile, std::int64_t chunk) const {
    return scales_ + chunk * m_ + tile * rows_max_;
}

std::int64_t PackedActivations::offset(std::int64_t tile, std::int64_t chunk) const {
    const std::int64_t first = chunk * kChunkCols;
    return first * m_ + tile * rows_max_ * std::min<std::int64_t>(kChunkCols, padded_ - first);
}

std::int16_t* PackedActivations::sums(std::int64_t tile, std::int64_t chunk) const {
    return sums_ + (chunk * m_ + tile * rows_max_) * kPairsMax * 2;
}

const float* PackedActivations::floats(std::int64_t tile, std::int64_t chunk) const {
    return reinterpret_cast<const float*>(elements_) + offset(tile, chunk);
}

const std::uint16_t* PackedActivations::halves(std::int64_t tile, std::int64_t chunk) const {
    return reinterpret_cast<const std::uint16_t*>(elements_) + offset(tile, chunk);
}

WordTile PackedActivations::words(std::int64_t tile, std::int64_t chunk) const {
    const auto* all = reinterpret_cast<const std::int16_t*>(elements_);
    return {all + offset(tile, chunk), scale(tile, chunk)};
}

ByteTile PackedActivations::bytes(std::int64_t tile, std::int64_t chunk) const {
    const auto* all = reinterpret_cast<const std::int8_t*>(elements_);
    return {all + offset(tile, chunk), sums(tile, chunk), scale(tile, chunk)};
}

void PackedActivations::pack_tile(const Kernels& kernels, const ConstTensor& x, std::int64_t tile) {
    if (kind_ == ActivationKind::kFloats) return pack_float_tile(x, tile);
    for (int r = 0; r < tile_rows(tile); ++r) {
        pack_rounded_row(kernels, x.row<float>(tile * rows_max_ + r), tile, r);
    }
}

void PackedActivations::pack_float_tile(const ConstTensor& x, std::int64_t tile) {
    const int rows = tile_rows(tile);
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
        auto* to = const_cast<float*>(floats(tile, chunk));
        const std::int64_t first = chunk * kChunkCols;
        const std::int64_t cols = std::min<std::int64_t>(kChunkCols, k_ - first);
        for (int r = 0; r < rows; ++r) {
            const float* from = x.row<float>(tile * rows_max_ + r) + first;
            for (std::int64_t k = 0; k < cols; ++k) to[k * rows + r] = from[k];
        }
    }
}

void PackedActivations::pack_rounded_row(const Kernels& kernels, const float* x, std::int64_t tile,
                                         int row) {
    const int rows = tile_rows(tile);
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
        const std::int64_t first = chunk * kChunkCols;
        const std::int64_t cols = std::min<std::int64_t>(kChunkCols, k_ - first);
        const std::int64_t padded = round_up(cols, 32);
        const float* from = x + first;
        float tail[kChunkCols];
        if (padded != cols) {
            std::memcpy(tail, from, static_cast<std::size_t>(cols) * 4);
            std::fill(tail + cols, tail + padded, 0.0F);
            from = tail;
        }
        if (kind_ == ActivationKind::kHalves) {
            auto* to = const_cast<std::uint16_t*>(halves(tile, chunk));
            kernels.round_halves(from, padded, rows, to + row * kernels.half_group);
            continue;
        }
        if (kind_ == ActivationKind::kWords) {
            auto* to = const_cast<std::int16_t*>(words(tile, chunk).words) + 2 * row;
            scale(tile, chunk)[row] = kernels.quantize_words(from, padded, rows, to);
            continue;
        }
        auto* to = const_cast<std::int8_t*>(bytes(tile, chunk).bytes) + 4 * row;
        scale(tile, chunk)[row] = kernels.quantize_bytes(from, padded, rows, to);
        std::int16_t* sum = sums(tile, chunk);
        const std::int64_t blocks = round_up(padded / sum_cols_, 2);
        for (std::int64_t b = 0; b < blocks; ++b) {
            int total = 0;
            const std::int64_t end = std::min(padded, (b + 1) * sum_cols_) / 4;
            for (std::int64_t group = b * sum_cols_ / 4; group < end; ++group) {
                const std::int8_t* four = to + group * rows * 4;
                total += four[0] + four[1] + four[2] + four[3];
            }
            sum[(b / 2 * rows + row) * 2 + b % 2] = static_cast<std::int16_t>(total);
        }
    }
}

}  // namespace heddle::compute::cpu
