#include "compute/cpu/packed_weight.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "compute/dequantize.h"
#include "compute/half.h"
#include "compute/thread_pool.h"

namespace heddle::compute::cpu {
namespace {

// One panel's chunk on its way: `rows` source rows exist (the rest of the panel is zero), from
// column `first`, `cols` of them.
struct Part {
    const WeightSource& source;
    std::int64_t first_row;
    int rows;
    std::int64_t first;
    std::int64_t cols;

    [[nodiscard]] const std::byte* row(int j) const {
        return source.data.data() + (first_row + j) * row_bytes(source.dtype, source.cols);
    }
    template <class Block>
    [[nodiscard]] Block block(int j, std::int64_t index) const {
        Block value;
        const std::int64_t at = first / block_elements(source.dtype) + index;
        std::memcpy(&value, row(j) + at * static_cast<std::int64_t>(sizeof(Block)), sizeof(Block));
        return value;
    }
};

template <class T>
T* at(std::byte* to, std::int64_t offset) {
    return reinterpret_cast<T*>(to + offset);
}

std::uint16_t load_u16(const std::byte* p, std::int64_t index) {
    std::uint16_t value;
    std::memcpy(&value, p + index * 2, sizeof(value));
    return value;
}

void pack_f32(const Part& part, std::byte* to) {
    for (int j = 0; j < part.rows; ++j) {
        const std::byte* from = part.row(j) + part.first * 4;
        for (std::int64_t k = 0; k < part.cols; ++k) {
            std::memcpy(to + (k * kPanelRows + j) * 4, from + k * 4, 4);
        }
    }
}

void pack_f16(const Part& part, std::byte* to) {
    auto* out = at<std::uint16_t>(to, 0);
    for (int j = 0; j < part.rows; ++j) {
        const std::byte* from = part.row(j) + part.first * 2;
        for (std::int64_t k = 0; k < part.cols; ++k) out[k * kPanelRows + j] = load_u16(from, k);
    }
}

// From f32, f16 or bf16.
void pack_bf16(const Part& part, std::byte* to) {
    auto* out = at<std::uint16_t>(to, 0);
    std::vector<float> row(static_cast<std::size_t>(part.cols));
    for (int j = 0; j < part.rows; ++j) {
        std::uint16_t* lane = out + 2 * j;
        const auto place = [&](std::int64_t k) -> std::uint16_t& {
            return lane[k / 2 * 2 * kPanelRows + k % 2];
        };
        const DType dtype = part.source.dtype;
        const std::byte* from = part.row(j) + part.first * block_bytes(dtype);
        if (dtype == DType::kBF16) {
            for (std::int64_t k = 0; k < part.cols; ++k) place(k) = load_u16(from, k);
        } else {
            dequantize_row(dtype, from, part.cols, row.data());
            for (std::int64_t k = 0; k < part.cols; ++k) {
                place(k) = f32_to_bf16(row[static_cast<std::size_t>(k)]);
            }
        }
    }
}

// A row's block scales of one chunk relative to their largest: integers up to `levels`.
struct RelativeScales {
    float unit = 0.0F;  // of the integers: d = unit * scale
    std::int16_t scale[8] = {};

    RelativeScales(const float (&d)[8], std::int64_t blocks, int levels) {
        float largest = 0.0F;
        for (std::int64_t b = 0; b < blocks; ++b) {
            if (std::abs(d[b]) > std::abs(largest)) largest = d[b];
        }
        if (largest == 0.0F || !std::isfinite(largest)) return;
        unit = largest / static_cast<float>(levels);
        for (std::int64_t b = 0; b < blocks; ++b) {
            const float ratio = d[b] / largest * static_cast<float>(levels);
            scale[b] = static_cast<std::int16_t>(std::isfinite(ratio) ? std::lrint(ratio) : 0);
        }
    }
};

void put_relative_scales(const RelativeScales& scales, std::int64_t blocks, int j, std::byte* to) {
    at<float>(to, 0)[j] = scales.unit;
    auto* out = at<std::int16_t>(to, 64);
    for (std::int64_t b = 0; b < blocks; ++b) {
        out[(b / 2 * kPanelRows + j) * 2 + b % 2] = scales.scale[b];
    }
}

// Eight-bit weights of one row and 32-column block to their places.
void put_words(const std::int8_t (&q)[32], std::int64_t b, int j, std::byte* words) {
    auto* lane = at<std::int8_t>(words, b * 512 + j / 8 * 32 + j % 8 / 4 * 16 + j % 4 * 2);
    for (int k = 0; k < 32; k += 2) {
        std::memcpy(lane + k / 4 * 64 + k % 4 / 2 * 8, q + k, 2);
    }
}

void pack_q8_0(const Part& part, std::byte* to) {
    const std::int64_t blocks = part.cols / 32;
    std::byte* words = to + 64 + (blocks + 1) / 2 * 64;
    for (int j = 0; j < part.rows; ++j) {
        float d[8] = {};
        for (std::int64_t b = 0; b < blocks; ++b) {
            const auto block = part.block<BlockQ8_0>(j, b);
            d[b] = f16_to_f32(block.d);
            put_words(block.q, b, j, words);
        }
        put_relative_scales(RelativeScales(d, blocks, 4096), blocks, j, to);
    }
}

// Float weights to eight bits with one scale a row and chunk; columns beyond the last are zero.
void pack_i8(const Part& part, std::byte* to) {
    const std::int64_t blocks = (part.cols + 31) / 32;
    std::byte* words = to + 64 + (blocks + 1) / 2 * 64;
    std::vector<float> row(static_cast<std::size_t>(blocks * 32), 0.0F);
    for (int j = 0; j < part.rows; ++j) {
        const DType dtype = part.source.dtype;
        dequantize_row(dtype, part.row(j) + part.first * block_bytes(dtype), part.cols, row.data());
        float d[8] = {};
        for (std::int64_t b = 0; b < blocks; ++b) {
            const float* x = row.data() + b * 32;
            float largest = 0.0F;
            for (int k = 0; k < 32; ++k) largest = std::max(largest, std::abs(x[k]));
            d[b] = largest / 127.0F;
            std::int8_t q[32] = {};
            for (int k = 0; k < 32 && d[b] > 1e-30F; ++k) {
                q[k] = static_cast<std::int8_t>(std::lrint(x[k] / d[b]));
            }
            put_words(q, b, j, words);
        }
        put_relative_scales(RelativeScales(d, blocks, 4096), blocks, j, to);
    }
}

// Weight k of row j as a nibble.
void put_nibble(std::byte* nibbles, std::int64_t k, int j, unsigned value) {
    auto& byte = at<std::uint8_t>(nibbles, 0)[k / 8 * 64 + j * 4 + k % 4];
    byte = static_cast<std::uint8_t>(byte | value << (k % 8 / 4 * 4));
}

void pack_q4_0(const Part& part, std::byte* to) {
    const std::int64_t blocks = part.cols / 32;
    std::byte* nibbles = to + 64 + (blocks + 1) / 2 * 64;
    for (int j = 0; j < part.rows; ++j) {
        float d[8] = {};
        for (std::int64_t b = 0; b < blocks; ++b) {
            const auto block = part.block<BlockQ4_0>(j, b);
            d[b] = f16_to_f32(block.d);
            for (int i = 0; i < 16; ++i) {
                put_nibble(nibbles, b * 32 + i, j, block.q[i] & 15U);
                put_nibble(nibbles, b * 32 + i + 16, j, block.q[i] >> 4U);
            }
        }
        put_relative_scales(RelativeScales(d, blocks, 4095), blocks, j, to);
    }
}

// What q4_K and q5_K share: scales, mins and the low four bits.
template <class Block>
void put_scale_min(const Block& block, const std::uint8_t (&q)[256], int j, std::byte* to) {
    at<std::uint16_t>(to, 0)[j] = block.d;
    at<std::uint16_t>(to, 32)[j] = block.dmin;
    for (int s = 0; s < 8; ++s) {
        const ScaleMin sm = sub_scale_min(block.scales, s);
        at<std::uint8_t>(to, 64)[(s / 2 * kPanelRows + j) * 2 + s % 2] = sm.scale;
        at<std::uint8_t>(to, 192)[(s / 2 * kPanelRows + j) * 2 + s % 2] = sm.min;
    }
    for (int k = 0; k < 256; ++k) put_nibble(to + 320, k, j, q[k] & 15U);
}

void pack_q4_k(const Part& part, std::byte* to) {
    std::uint8_t q[256];
    for (int j = 0; j < part.rows; ++j) {
        const auto block = part.block<BlockQ4K>(j, 0);
        unpack_quants(block, q);
        put_scale_min(block, q, j, to);
    }
}

void pack_q5_k(const Part& part, std::byte* to) {
    std::uint8_t q[256];
    for (int j = 0; j < part.rows; ++j) {
        const auto block = part.block<BlockQ5K>(j, 0);
        unpack_quants(block, q);
        put_scale_min(block, q, j, to);
        auto* high = at<std::uint8_t>(to, 320 + 2048);
        for (int k = 0; k < 256; ++k) {
            auto& byte = high[k / 32 * 64 + j * 4 + k % 4];
            byte = static_cast<std::uint8_t>(byte | (q[k] >> 4) << (k / 4 % 8));
        }
    }
}

void pack_q6_k(const Part& part, std::byte* to) {
    std::uint8_t q[256];
    for (int j = 0; j < part.rows; ++j) {
        const auto block = part.block<BlockQ6K>(j, 0);
        unpack_quants(block, q);
        at<std::uint16_t>(to, 0)[j] = block.d;
        for (int s = 0; s < 16; ++s) {
            at<std::int8_t>(to, 32)[(s / 2 * kPanelRows + j) * 2 + s % 2] = block.scales[s];
        }
        auto* high = at<std::uint8_t>(to, 288 + 2048);
        for (int k = 0; k < 256; ++k) {
            put_nibble(to + 288, k, j, q[k] & 15U);
            auto& byte = high[k / 16 * 64 + j * 4 + k % 4];
            byte = static_cast<std::uint8_t>(byte | (q[k] >> 4) << (2 * (k / 4 % 4)));
        }
    }
}

void pack_part(PanelFormat format, const Part& part, std::byte* to) {
    switch (format) {
        case PanelFormat::kF32:
            return pack_f32(part, to);
        case PanelFormat::kF16:
            return pack_f16(part, to);
        case PanelFormat::kBF16:
            return pack_bf16(part, to);
        case PanelFormat::kQ8_0:
            return part.source.dtype == DType::kQ8_0 ? pack_q8_0(part, to) : pack_i8(part, to);
        case PanelFormat::kQ4_0:
            return pack_q4_0(part, to);
        case PanelFormat::kQ4_K:
            return pack_q4_k(part, to);
        case PanelFormat::kQ5_K:
            return pack_q5_k(part, to);
        case PanelFormat::kQ6_K:
            return pack_q6_k(part, to);
    }
}

PanelFormat format_for(DType dtype, Arithmetic arithmetic) {
    switch (dtype) {
        case DType::kQ8_0:
            return PanelFormat::kQ8_0;
        case DType::kQ4_0:
            return PanelFormat::kQ4_0;
        case DType::kQ4_K:
            return PanelFormat::kQ4_K;
        case DType::kQ5_K:
            return PanelFormat::kQ5_K;
        case DType::kQ6_K:
            return PanelFormat::kQ6_K;
        default:
            break;
    }
    if (arithmetic == Arithmetic::kI8) return PanelFormat::kQ8_0;
    if (arithmetic == Arithmetic::kBF16 || dtype == DType::kBF16) return PanelFormat::kBF16;
    return dtype == DType::kF16 ? PanelFormat::kF16 : PanelFormat::kF32;
}

}  // namespace

std::int64_t chunk_bytes(PanelFormat format, std::int64_t cols) {
    const std::int64_t pairs = (cols + 63) / 64;
    switch (format) {
        case PanelFormat::kF32:
            return cols * kPanelRows * 4;
        case PanelFormat::kF16:
            return cols * kPanelRows * 2;
        case PanelFormat::kBF16:
            return (cols + 1) / 2 * kPanelRows * 4;
        case PanelFormat::kQ8_0:
            return 64 + pairs * 64 + (cols + 31) / 32 * 512;
        case PanelFormat::kQ4_0:
            return 64 + pairs * 64 + cols * 8;
        case PanelFormat::kQ4_K:
            return 320 + 2048;
        case PanelFormat::kQ5_K:
            return 320 + 2048 + 512;
        case PanelFormat::kQ6_K:
            return 288 + 2048 + 1024;
    }
    return 0;
}

PackedWeight::PackedWeight(const WeightSource& source, PanelFormat format)
    : Weight(source.rows, source.cols, source.dtype),
      format_(format),
      full_chunk_bytes_(chunk_bytes(format, kChunkCols)),
      panel_bytes_((chunks() - 1) * full_chunk_bytes_ +
                   chunk_bytes(format, chunk_cols(chunks() - 1))) {}

void PackedWeight::pack_panel(const WeightSource& source, std::int64_t panel) {
    // Missing rows and columns are zero, and nibbles are put together bit by bit.
    std::memset(const_cast<std::byte*>(chunk(panel, 0)), 0, static_cast<std::size_t>(panel_bytes_));
    const std::int64_t first_row = panel * kPanelRows;
    const int rows = static_cast<int>(std::min<std::int64_t>(kPanelRows, source.rows - first_row));
    for (std::int64_t c = 0; c < chunks(); ++c) {
        const Part part{source, first_row, rows, c * kChunkCols, chunk_cols(c)};
        pack_part(format_, part, const_cast<std::byte*>(chunk(panel, c)));
    }
}

Result<std::unique_ptr<PackedWeight>> PackedWeight::pack(const WeightSource& source,
                                                         Arithmetic arithmetic, int threads) {
    std::unique_ptr<PackedWeight> weight(
        new PackedWeight(source, format_for(source.dtype, arithmetic)));
    weight->allows_bf16_ = arithmetic == Arithmetic::kBF16 && weight->format_ == PanelFormat::kBF16;
    try {
        weight->buffer_ =
            allocate_host(static_cast<std::size_t>(weight->panels() * weight->panel_bytes_));
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kUnavailable, "not enough memory for a weight");
    }
    const auto pack_panels = [&](Range range) {
        for (std::int64_t p = range.begin; p < range.end; ++p) weight->pack_panel(source, p);
    };
    // Shares of at least so many bytes: a thread costs some 20 microseconds.
    constexpr std::int64_t kShareBytes = 1 << 20;
    const std::int64_t shares =
        std::clamp<std::int64_t>(weight->panels() * weight->panel_bytes_ / kShareBytes, 1, threads);
    std::vector<std::jthread> others;
    for (std::int64_t share = 1; share < shares; ++share) {
        others.emplace_back(pack_panels, split_evenly(weight->panels(), shares, share));
    }
    pack_panels(split_evenly(weight->panels(), shares, 0));
    others.clear();  // joins
    return weight;
}

std::string_view PackedWeight::kind() const {
    switch (format_) {
        case PanelFormat::kF32:
            return "f32 panels";
        case PanelFormat::kF16:
            return "f16 panels";
        case PanelFormat::kBF16:
            return "bf16 panels";
        case PanelFormat::kQ8_0:
            return "8-bit panels";
        case PanelFormat::kQ4_0:
            return "q4_0 panels";
        case PanelFormat::kQ4_K:
            return "q4_K panels";
        case PanelFormat::kQ5_K:
            return "q5_K panels";
        case PanelFormat::kQ6_K:
            return "q6_K panels";
    }
    return "panels";
}

}  // namespace heddle::compute::cpu
