// Kernels in plain C++ for processors without AVX2, and for tests: the same layouts and, for
// integers, the same sums as the others.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "compute/cpu/kernels.h"
#include "compute/half.h"

namespace heddle::compute::cpu {
namespace {

constexpr int kRowsMax = 4;
constexpr float kTiny = 1e-30F;  // magnitudes below count as zero

template <class Decode>
void tile_floats(const float* a, std::int64_t k, int rows, float* c, std::int64_t ldc,
                 Decode decode) {
    for (std::int64_t i = 0; i < k; ++i) {
        float b[kPanelRows];
        decode(i, b);
        for (int r = 0; r < rows; ++r) {
            const float x = a[i * rows + r];
            for (int j = 0; j < kPanelRows; ++j) c[r * ldc + j] += x * b[j];
        }
    }
}

void tile_f32(const float* a, const float* b, std::int64_t ldb, std::int64_t k, int rows, float* c,
              std::int64_t ldc) {
    tile_floats(a, k, rows, c, ldc,
                [&](std::int64_t i, float* out) { std::copy_n(b + i * ldb, kPanelRows, out); });
}

void tile_scores(const float* p, const float* b, std::int64_t ldb, std::int64_t k, int rows,
                 float* c, std::int64_t ldc) {
    for (std::int64_t i = 0; i < k; ++i) {
        for (int r = 0; r < rows; ++r) {
            const float x = p[r * kPanelRows + i];
            for (int j = 0; j < kPanelRows; ++j) c[r * ldc + j] += x * b[i * ldb + j];
        }
    }
}

void tile_f16(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c) {
    tile_floats(a, k, rows, c, kPanelRows, [&](std::int64_t i, float* out) {
        for (int j = 0; j < kPanelRows; ++j) out[j] = f16_to_f32(b[i * kPanelRows + j]);
    });
}

void tile_bf16(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c) {
    tile_floats(a, k, rows, c, kPanelRows, [&](std::int64_t i, float* out) {
        const std::uint16_t* pairs = b + i / 2 * 2 * kPanelRows;
        for (int j = 0; j < kPanelRows; ++j) out[j] = bf16_to_f32(pairs[2 * j + i % 2]);
    });
}

void tile_words(const WordTile& a, const WordChunk& w, std::int64_t k, int rows, float* c) {
    for (int r = 0; r < rows; ++r) {
        std::int32_t sums[kPanelRows] = {};
        for (std::int64_t i = 0; i < k / 2; ++i) {
            const std::int16_t* x = a.words + (i * rows + r) * 2;
            const std::int16_t* p = w.words + i * 2 * kPanelRows;
            for (int j = 0; j < kPanelRows; ++j) sums[j] += p[2 * j] * x[0] + p[2 * j + 1] * x[1];
        }
        for (int j = 0; j < kPanelRows; ++j) {
            c[r * kPanelRows + j] += static_cast<float>(sums[j]) * (a.scale[r] * w.scale[j]);
        }
    }
}

void tile_bytes(const ByteTile& a, const ByteChunk& w, std::int64_t k, int rows, float* c) {
    for (int r = 0; r < rows; ++r) {
        std::int32_t sums[kPanelRows] = {};
        std::int32_t mins[kPanelRows] = {};
        for (std::int64_t g = 0; g < k / 4; ++g) {
            const std::int8_t* x = a.bytes + (g * rows + r) * 4;
            const std::uint8_t* p = w.bytes + g * 4 * kPanelRows;
            const auto& scale = w.scales[g / w.groups_per_scale];
            for (int j = 0; j < kPanelRows; ++j) {
                const int dot = p[4 * j] * x[0] + p[4 * j + 1] * x[1] + p[4 * j + 2] * x[2] +
                                p[4 * j + 3] * x[3];
                sums[j] += scale[j][0] * dot;
            }
        }
        for (int p = 0; p < w.min_pairs; ++p) {
            const std::int16_t* x = a.sums + (p * rows + r) * 2;
            for (int j = 0; j < kPanelRows; ++j) {
                mins[j] += w.mins[p][j][0] * x[0] + w.mins[p][j][1] * x[1];
            }
        }
        for (int j = 0; j < kPanelRows; ++j) {
            float& to = c[r * kPanelRows + j];
            to += static_cast<float>(sums[j]) * (a.scale[r] * w.d[j]);
            to -= static_cast<float>(mins[j]) * (a.scale[r] * w.dmin[j]);
        }
    }
}

template <class T>
T load(const std::byte* p, std::int64_t index) {
    T value;
    std::memcpy(&value, p + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    return value;
}

void unpack_words(const std::byte* packed, std::int64_t kc, WordChunk& out) {
    const std::int64_t blocks = kc / 32;
    const std::byte* scales = packed + 64;
    const std::byte* from = scales + (blocks + 1) / 2 * 64;
    for (int j = 0; j < kPanelRows; ++j) out.scale[j] = load<float>(packed, j) * 128.0F;
    for (std::int64_t k = 0; k < kc; ++k) {
        for (int j = 0; j < kPanelRows; ++j) {
            const std::int64_t b = k / 32;
            const int s = load<std::int16_t>(scales, (b / 2 * kPanelRows + j) * 2 + b % 2);
            const std::int64_t at =
                k / 4 * 64 + j / 8 * 32 + j % 8 / 4 * 16 + k % 4 / 2 * 8 + j % 4 * 2 + k % 2;
            const int q = load<std::int8_t>(from, at);
            out.words[k / 2 * 2 * kPanelRows + 2 * j + k % 2] =
                static_cast<std::int16_t>((q * 256 * s + 0x4000) >> 15);
        }
    }
}

void split_nibbles(const std::byte* packed, std::int64_t rows, std::uint8_t* out) {
    for (std::int64_t j = 0; j < rows; ++j) {
        for (int i = 0; i < 64; ++i) {
            const auto byte = load<std::uint8_t>(packed, j * 64 + i);
            out[j * 128 + i] = byte & 15;
            out[j * 128 + 64 + i] = byte >> 4;
        }
    }
}

// Every sub-block's scale `copies` times; T is the stored type of the pairs.
template <class T>
void spread_scales(const std::byte* scales, int pairs, int copies, int min_factor, ByteChunk& out) {
    for (int b = 0; b < 2 * pairs; ++b) {
        for (int j = 0; j < kPanelRows; ++j) {
            const int s = load<T>(scales, (b / 2 * kPanelRows + j) * 2 + b % 2);
            for (int i = 0; i < copies; ++i) {
                auto& to = out.scales[b * copies + i][j];
                to[0] = to[1] = static_cast<std::int16_t>(s);
            }
            if (min_factor != 0) {
                out.mins[b / 2][j][b % 2] = static_cast<std::int16_t>(s * min_factor);
            }
        }
    }
    out.groups_per_scale = 8 / copies;
    out.min_pairs = pairs;
    out.min_block_cols = 32;
}

void unpack_q4_0(const std::byte* packed, std::int64_t kc, ByteChunk& out) {
    const auto pairs = static_cast<int>((kc / 32 + 1) / 2);
    for (int j = 0; j < kPanelRows; ++j) out.d[j] = out.dmin[j] = load<float>(packed, j);
    spread_scales<std::int16_t>(packed + 64, pairs, 1, 8, out);
    split_nibbles(packed + 64 + pairs * 64, kc / 8, out.bytes);
}

void unpack_scale_min(const std::byte* packed, int copies, ByteChunk& out) {
    for (int j = 0; j < kPanelRows; ++j) {
        out.d[j] = f16_to_f32(load<std::uint16_t>(packed, j));
        out.dmin[j] = f16_to_f32(load<std::uint16_t>(packed, 16 + j));
    }
    spread_scales<std::uint8_t>(packed + 64, 4, copies, 0, out);
    for (int i = 0; i < 4 * kPanelRows * 2; ++i) {
        out.mins[i / 32][i / 2 % kPanelRows][i % 2] = load<std::uint8_t>(packed + 192, i);
    }
    split_nibbles(packed + 320, 32, out.bytes);
}

void unpack_q5_k(const std::byte* packed, ByteChunk& out) {
    unpack_scale_min(packed, 2, out);
    const std::byte* high = packed + 320 + 2048;
    for (int i = 0; i < kChunkCols * kPanelRows; ++i) {
        const int bits = load<std::uint8_t>(high, i / 512 * 64 + i % 64);
        out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] | ((bits >> (i / 64 % 8)) & 1) << 4);
    }
}

void unpack_q6_k(const std::byte* packed, ByteChunk& out) {
    for (int j = 0; j < kPanelRows; ++j) {
        out.d[j] = out.dmin[j] = f16_to_f32(load<std::uint16_t>(packed, j));
    }
    spread_scales<std::int8_t>(packed + 32, 8, 2, 32, out);
    out.groups_per_scale = 2;
    out.min_block_cols = 16;
    split_nibbles(packed + 288, 32, out.bytes);
    const std::byte* high = packed + 288 + 2048;
    for (int i = 0; i < kChunkCols * kPanelRows; ++i) {
        const int bits = load<std::uint8_t>(high, i / 256 * 64 + i % 64);
        out.bytes[i] =
            static_cast<std::uint8_t>(out.bytes[i] | ((bits >> (2 * (i / 64 % 4))) & 3) << 4);
    }
}

void unpack_bytes(PanelFormat format, const std::byte* packed, std::int64_t kc, ByteChunk& out) {
    switch (format) {
        case PanelFormat::kQ4_0:
            return unpack_q4_0(packed, kc, out);
        case PanelFormat::kQ4_K:
            return unpack_scale_min(packed, 1, out);
        case PanelFormat::kQ5_K:
            return unpack_q5_k(packed, out);
        default:
            return unpack_q6_k(packed, out);
    }
}

// To the nearest integer, ties to even, as the vector conversions round.
int round_even(float value) {
    constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it drops the fraction
    return static_cast<int>((value + kMagic) - kMagic);
}

template <class T, int kLevels, int kGroup>
float quantize(const float* x, std::int64_t kc, std::int64_t stride, T* out) {
    float largest = 0.0F;
    for (std::int64_t i = 0; i < kc; ++i) largest = std::max(largest, std::abs(x[i]));
    const float inverse = largest > kTiny ? kLevels / largest : 0.0F;
    for (std::int64_t i = 0; i < kc; ++i) {
        out[i / kGroup * stride * kGroup + i % kGroup] = static_cast<T>(round_even(x[i] * inverse));
    }
    return largest / kLevels;
}

float quantize_words(const float* x, std::int64_t kc, std::int64_t stride, std::int16_t* words) {
    return quantize<std::int16_t, 2047, 2>(x, kc, stride, words);
}

float quantize_bytes(const float* x, std::int64_t kc, std::int64_t stride, std::int8_t* bytes) {
    return quantize<std::int8_t, 127, 4>(x, kc, stride, bytes);
}

void widen_f16(const std::uint16_t* x, std::int64_t n, float* out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = f16_to_f32(x[i]);
}

void widen_bf16(const std::uint16_t* x, std::int64_t n, float* out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = bf16_to_f32(x[i]);
}

}  // namespace

const Kernels& portable_kernels() {
    static constexpr Kernels kTable{
        .level = IsaLevel::kPortable,
        .float_rows_max = kRowsMax,
        .word_rows_max = kRowsMax,
        .byte_rows_max = kRowsMax,
        .half_rows_max = 0,
        .half_group = 0,
        .tile_f32 = tile_f32,
        .tile_scores = tile_scores,
        .tile_f16 = tile_f16,
        .tile_bf16 = tile_bf16,
        .tile_words = tile_words,
        .tile_bytes = tile_bytes,
        .tile_halves = nullptr,
        .row_words = nullptr,
        .row_bytes = nullptr,
        .unpack_words = unpack_words,
        .unpack_bytes = unpack_bytes,
        .quantize_words = quantize_words,
        .quantize_bytes = quantize_bytes,
        .round_halves = nullptr,
        .widen_f16 = widen_f16,
        .widen_bf16 = widen_bf16,
    };
    return kTable;
}

}  // namespace heddle::compute::cpu
