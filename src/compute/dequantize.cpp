#include "compute/dequantize.h"

#include <cstring>
#include <limits>

#include "base/check.h"
#include "compute/half.h"

namespace heddle::compute {
namespace {

template <class Block>
Block load_block(const std::byte* row, std::int64_t index) {
    Block block;
    std::memcpy(&block, row + index * static_cast<std::int64_t>(sizeof(Block)), sizeof(Block));
    return block;
}

std::uint16_t load_u16(const std::byte* row, std::int64_t index) {
    std::uint16_t value = 0;
    std::memcpy(&value, row + index * 2, 2);
    return value;
}

void dequantize_q8_0(const std::byte* row, std::int64_t cols, float* out) {
    for (std::int64_t b = 0; b < cols / 32; ++b) {
        const auto block = load_block<BlockQ8_0>(row, b);
        const float d = f16_to_f32(block.d);
        for (int i = 0; i < 32; ++i) out[b * 32 + i] = d * static_cast<float>(block.q[i]);
    }
}

void dequantize_q4_0(const std::byte* row, std::int64_t cols, float* out) {
    for (std::int64_t b = 0; b < cols / 32; ++b) {
        const auto block = load_block<BlockQ4_0>(row, b);
        const float d = f16_to_f32(block.d);
        for (int i = 0; i < 16; ++i) {
            out[b * 32 + i] = d * static_cast<float>((block.q[i] & 15) - 8);
            out[b * 32 + i + 16] = d * static_cast<float>((block.q[i] >> 4) - 8);
        }
    }
}

// Q4_K and Q5_K differ only in their integers.
template <class Block>
void dequantize_scale_min(const std::byte* row, std::int64_t cols, float* out) {
    std::uint8_t q[256];
    for (std::int64_t b = 0; b < cols / 256; ++b) {
        const auto block = load_block<Block>(row, b);
        unpack_quants(block, q);
        const float d = f16_to_f32(block.d);
        const float dmin = f16_to_f32(block.dmin);
        for (int i = 0; i < 256; ++i) {
            const ScaleMin sm = sub_scale_min(block.scales, i / 32);
            out[b * 256 + i] = d * static_cast<float>(sm.scale) * static_cast<float>(q[i]) -
                               dmin * static_cast<float>(sm.min);
        }
    }
}

void dequantize_q6_k(const std::byte* row, std::int64_t cols, float* out) {
    std::uint8_t q[256];
    for (std::int64_t b = 0; b < cols / 256; ++b) {
        const auto block = load_block<BlockQ6K>(row, b);
        unpack_quants(block, q);
        const float d = f16_to_f32(block.d);
        for (int i = 0; i < 256; ++i) {
            out[b * 256 + i] =
                d * static_cast<float>(block.scales[i / 16]) * static_cast<float>(q[i] - 32);
        }
    }
}

}  // namespace

ScaleMin sub_scale_min(const std::uint8_t (&scales)[12], int s) {
    if (s < 4) {
        return {static_cast<std::uint8_t>(scales[s] & 63),
                static_cast<std::uint8_t>(scales[s + 4] & 63)};
    }
    return {static_cast<std::uint8_t>((scales[s + 4] & 15) | ((scales[s - 4] >> 6) << 4)),
            static_cast<std::uint8_t>((scales[s + 4] >> 4) | ((scales[s] >> 6) << 4))};
}

void unpack_quants(const BlockQ4K& block, std::uint8_t (&out)[256]) {
    for (int pair = 0; pair < 4; ++pair) {
        for (int i = 0; i < 32; ++i) {
            const std::uint8_t byte = block.q[pair * 32 + i];
            out[pair * 64 + i] = byte & 15;
            out[pair * 64 + 32 + i] = byte >> 4;
        }
    }
}

void unpack_quants(const BlockQ5K& block, std::uint8_t (&out)[256]) {
    for (int pair = 0; pair < 4; ++pair) {
        for (int i = 0; i < 32; ++i) {
            const std::uint8_t byte = block.q[pair * 32 + i];
            const int low_bit = (block.high[i] >> (2 * pair)) & 1;
            const int high_bit = (block.high[i] >> (2 * pair + 1)) & 1;
            out[pair * 64 + i] = static_cast<std::uint8_t>((byte & 15) | (low_bit << 4));
            out[pair * 64 + 32 + i] = static_cast<std::uint8_t>((byte >> 4) | (high_bit << 4));
        }
    }
}

void unpack_quants(const BlockQ6K& block, std::uint8_t (&out)[256]) {
    for (int half = 0; half < 2; ++half) {
        const std::uint8_t* low = block.low + half * 64;
        const std::uint8_t* high = block.high + half * 32;
        std::uint8_t* to = out + half * 128;
        for (int i = 0; i < 32; ++i) {
            const auto bits = [&](int group) { return ((high[i] >> (2 * group)) & 3) << 4; };
            to[i] = static_cast<std::uint8_t>((low[i] & 15) | bits(0));
            to[i + 32] = static_cast<std::uint8_t>((low[i + 32] & 15) | bits(1));
            to[i + 64] = static_cast<std::uint8_t>((low[i] >> 4) | bits(2));
            to[i + 96] = static_cast<std::uint8_t>((low[i + 32] >> 4) | bits(3));
        }
    }
}

void dequantize_row(DType dtype, const std::byte* row, std::int64_t cols, float* out) {
    switch (dtype) {
        case DType::kF32:
            std::memcpy(out, row, static_cast<std::size_t>(cols) * sizeof(float));
            return;
        case DType::kF16:
            for (std::int64_t i = 0; i < cols; ++i) out[i] = f16_to_f32(load_u16(row, i));
            return;
        case DType::kBF16:
            for (std::int64_t i = 0; i < cols; ++i) out[i] = bf16_to_f32(load_u16(row, i));
            return;
        case DType::kQ8_0:
            return dequantize_q8_0(row, cols, out);
        case DType::kQ4_0:
            return dequantize_q4_0(row, cols, out);
        case DType::kQ4_K:
            return dequantize_scale_min<BlockQ4K>(row, cols, out);
        case DType::kQ5_K:
            return dequantize_scale_min<BlockQ5K>(row, cols, out);
        case DType::kQ6_K:
            return dequantize_q6_k(row, cols, out);
        case DType::kI8:
        case DType::kI32:
        case DType::kI64:
            break;
    }
    HEDDLE_CHECK(false, "dtype is one of weights");
}

Result<> check_source(const WeightSource& source) {
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    if (source.dtype == DType::kI8 || source.dtype == DType::kI32 || source.dtype == DType::kI64) {
        return fail(ErrorCode::kUnimplemented,
                    "a weight cannot be of type " + std::string(to_string(source.dtype)));
    }
    if (source.rows < 1 || source.cols < 1 || source.rows > kMax || source.cols > kMax) {
        return fail(ErrorCode::kInvalidArgument, "a weight's dimensions are out of range");
    }
    if (source.cols % block_elements(source.dtype) != 0) {
        return fail(ErrorCode::kInvalidArgument, "a weight's columns are no whole number of " +
                                                     std::string(to_string(source.dtype)) +
                                                     " blocks");
    }
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(source.rows, row_bytes(source.dtype, source.cols), &bytes) ||
        source.data.size() != static_cast<std::size_t>(bytes)) {
        return fail(ErrorCode::kInvalidArgument, "a weight's bytes do not fit its shape");
    }
    return {};
}

}  // namespace heddle::compute
