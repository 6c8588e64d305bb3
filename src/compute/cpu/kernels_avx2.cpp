// Tile products for AVX2 with FMA: a panel's 16 rows are two vectors, a tile has up to 6 rows of
// activations (12 sums in registers), 4 where 16-bit partial sums stand beside the 32-bit ones.
#include "compute/cpu/kernels_avx2.h"

#include <immintrin.h>

#include "compute/cpu/kernels.h"

namespace heddle::compute::cpu {
namespace {

inline __m256i load(const void* p) {
    return _mm256_load_si256(static_cast<const __m256i*>(p));
}

inline __m256i broadcast32(const void* p) {
    std::int32_t value;
    __builtin_memcpy(&value, p, sizeof(value));
    return _mm256_set1_epi32(value);
}

template <int kRows>
struct Sums {
    __m256 v[kRows][2];

    inline void load(const float* c, std::int64_t ldc) {
        for (int r = 0; r < kRows; ++r) {
            v[r][0] = _mm256_loadu_ps(c + r * ldc);
            v[r][1] = _mm256_loadu_ps(c + r * ldc + 8);
        }
    }
    inline void store(float* c, std::int64_t ldc) const {
        for (int r = 0; r < kRows; ++r) {
            _mm256_storeu_ps(c + r * ldc, v[r][0]);
            _mm256_storeu_ps(c + r * ldc + 8, v[r][1]);
        }
    }
    // One column of activations, `kStride` floats from row to row.
    template <int kStride = 1>
    inline void add(const float* a, __m256 b0, __m256 b1) {
        for (int r = 0; r < kRows; ++r) {
            const __m256 x = _mm256_broadcast_ss(a + r * kStride);
            v[r][0] = _mm256_fmadd_ps(x, b0, v[r][0]);
            v[r][1] = _mm256_fmadd_ps(x, b1, v[r][1]);
        }
    }
};

template <int kRows>
void f32_rows(const float* a, const float* b, std::int64_t ldb, std::int64_t k, float* c,
              std::int64_t ldc) {
    Sums<kRows> sums;
    sums.load(c, ldc);
    for (std::int64_t i = 0; i < k; ++i) {
        sums.add(a + i * kRows, _mm256_loadu_ps(b), _mm256_loadu_ps(b + 8));
        b += ldb;
    }
    sums.store(c, ldc);
}

template <int kRows>
void scores_rows(const float* p, const float* b, std::int64_t ldb, std::int64_t k, float* c,
                 std::int64_t ldc) {
    Sums<kRows> sums;
    sums.load(c, ldc);
    for (std::int64_t i = 0; i < k; ++i) {
        sums.template add<kPanelRows>(p + i, _mm256_loadu_ps(b), _mm256_loadu_ps(b + 8));
        b += ldb;
    }
    sums.store(c, ldc);
}

template <int kRows>
void f16_rows(const float* a, const std::uint16_t* b, std::int64_t k, float* c) {
    Sums<kRows> sums;
    sums.load(c, kPanelRows);
    for (std::int64_t i = 0; i < k; ++i) {
        const auto* p = reinterpret_cast<const __m128i*>(b + i * kPanelRows);
        sums.add(a + i * kRows, _mm256_cvtph_ps(_mm_load_si128(p)),
                 _mm256_cvtph_ps(_mm_load_si128(p + 1)));
    }
    sums.store(c, kPanelRows);
}

template <int kRows>
void bf16_rows(const float* a, const std::uint16_t* b, std::int64_t k, float* c) {
    const __m256i high = _mm256_set1_epi32(static_cast<int>(0xFFFF0000U));
    Sums<kRows> sums;
    sums.load(c, kPanelRows);
    for (std::int64_t i = 0; i + 1 < k; i += 2) {
        sums.add(a, _mm256_castsi256_ps(_mm256_slli_epi32(load(b), 16)),
                 _mm256_castsi256_ps(_mm256_slli_epi32(load(b + 16), 16)));
        // The pairs are loaded again rather than kept: there is no register left for them.
        __asm__("" : "+r"(b));
        sums.add(a + kRows, _mm256_castsi256_ps(_mm256_and_si256(high, load(b))),
                 _mm256_castsi256_ps(_mm256_and_si256(high, load(b + 16))));
        a += 2 * kRows;
        b += 2 * kPanelRows;
    }
    if (k % 2 != 0) {
        sums.add(a, _mm256_castsi256_ps(_mm256_slli_epi32(load(b), 16)),
                 _mm256_castsi256_ps(_mm256_slli_epi32(load(b + 16), 16)));
    }
    sums.store(c, kPanelRows);
}

inline __m256 scaled(__m256i sum, __m256 scale, __m256 c) {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, c);
}

template <int kRows>
void words_rows(const WordTile& a, const WordChunk& w, std::int64_t k, float* c) {
    __m256i sum[kRows][2];
    for (auto& row : sum) row[0] = row[1] = _mm256_setzero_si256();
    const std::int16_t* x = a.words;
    const std::int16_t* p = w.words;
    for (std::int64_t i = 0; i < k; i += 2) {
        const __m256i w0 = load(p);
        const __m256i w1 = load(p + 16);
        for (int r = 0; r < kRows; ++r) {
            const __m256i xr = broadcast32(x + 2 * r);
            sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(w0, xr));
            sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(w1, xr));
        }
        x += 2 * kRows;
        p += 2 * kPanelRows;
    }
    for (int r = 0; r < kRows; ++r) {
        const __m256 scale = _mm256_broadcast_ss(a.scale + r);
        for (int h = 0; h < 2; ++h) {
            float* to = c + r * kPanelRows + 8 * h;
            const __m256 s = _mm256_mul_ps(scale, _mm256_load_ps(w.scale + 8 * h));
            _mm256_storeu_ps(to, scaled(sum[r][h], s, _mm256_loadu_ps(to)));
        }
    }
}

// The products of mins and sums of activations, and the end of a byte tile.
template <int kRows>
inline void finish_bytes(const ByteTile& a, const ByteChunk& w, const __m256i (&sum)[kRows][2],
                         float* c) {
    for (int h = 0; h < 2; ++h) {
        __m256i mins[kRows];
        for (auto& row : mins) row = _mm256_setzero_si256();
        for (int p = 0; p < w.min_pairs; ++p) {
            const __m256i m = load(w.mins[p][8 * h]);
            for (int r = 0; r < kRows; ++r) {
                const __m256i xs = broadcast32(a.sums + (p * kRows + r) * 2);
                mins[r] = _mm256_add_epi32(mins[r], _mm256_madd_epi16(m, xs));
            }
        }
        const __m256 d = _mm256_load_ps(w.d + 8 * h);
        const __m256 dmin = _mm256_load_ps(w.dmin + 8 * h);
        for (int r = 0; r < kRows; ++r) {
            const __m256 scale = _mm256_broadcast_ss(a.scale + r);
            float* to = c + r * kPanelRows + 8 * h;
            const __m256 y = scaled(sum[r][h], _mm256_mul_ps(scale, d), _mm256_loadu_ps(to));
            _mm256_storeu_ps(
                to, _mm256_fnmadd_ps(_mm256_cvtepi32_ps(mins[r]), _mm256_mul_ps(scale, dmin), y));
        }
    }
}

template <int kRows, int kGroups>
void bytes_rows(const ByteTile& a, const ByteChunk& w, std::int64_t k, float* c) {
    __m256i sum[kRows][2];
    for (auto& row : sum) row[0] = row[1] = _mm256_setzero_si256();
    const std::int8_t* x = a.bytes;
    const std::uint8_t* p = w.bytes;
    const std::int64_t scales = k / (4 * kGroups);
    for (std::int64_t s = 0; s < scales; ++s) {
        __m256i part[kRows][2];
        for (auto& row : part) row[0] = row[1] = _mm256_setzero_si256();
        for (int g = 0; g < kGroups; ++g) {
            const __m256i w0 = load(p);
            const __m256i w1 = load(p + 32);
            for (int r = 0; r < kRows; ++r) {
                const __m256i xr = broadcast32(x + 4 * r);
                part[r][0] = _mm256_add_epi16(part[r][0], _mm256_maddubs_epi16(w0, xr));
                part[r][1] = _mm256_add_epi16(part[r][1], _mm256_maddubs_epi16(w1, xr));
            }
            x += 4 * kRows;
            p += 4 * kPanelRows;
        }
        const __m256i s0 = load(w.scales[s][0]);
        const __m256i s1 = load(w.scales[s][8]);
        for (int r = 0; r < kRows; ++r) {
            sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(part[r][0], s0));
            sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(part[r][1], s1));
        }
    }
    finish_bytes<kRows>(a, w, sum, c);
}

void tile_f32(const float* a, const float* b, std::int64_t ldb, std::int64_t k, int rows, float* c,
              std::int64_t ldc) {
    switch (rows) {
        case 1:
            return f32_rows<1>(a, b, ldb, k, c, ldc);
        case 2:
            return f32_rows<2>(a, b, ldb, k, c, ldc);
        case 3:
            return f32_rows<3>(a, b, ldb, k, c, ldc);
        case 4:
            return f32_rows<4>(a, b, ldb, k, c, ldc);
        case 5:
            return f32_rows<5>(a, b, ldb, k, c, ldc);
        default:
            return f32_rows<6>(a, b, ldb, k, c, ldc);
    }
}

void tile_scores(const float* p, const float* b, std::int64_t ldb, std::int64_t k, int rows,
                 float* c, std::int64_t ldc) {
    switch (rows) {
        case 1:
            return scores_rows<1>(p, b, ldb, k, c, ldc);
        case 2:
            return scores_rows<2>(p, b, ldb, k, c, ldc);
        case 3:
            return scores_rows<3>(p, b, ldb, k, c, ldc);
        case 4:
            return scores_rows<4>(p, b, ldb, k, c, ldc);
        case 5:
            return scores_rows<5>(p, b, ldb, k, c, ldc);
        default:
            return scores_rows<6>(p, b, ldb, k, c, ldc);
    }
}

void tile_f16(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c) {
    switch (rows) {
        case 1:
            return f16_rows<1>(a, b, k, c);
        case 2:
            return f16_rows<2>(a, b, k, c);
        case 3:
            return f16_rows<3>(a, b, k, c);
        case 4:
            return f16_rows<4>(a, b, k, c);
        case 5:
            return f16_rows<5>(a, b, k, c);
        default:
            return f16_rows<6>(a, b, k, c);
    }
}

void tile_bf16(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c) {
    switch (rows) {
        case 1:
            return bf16_rows<1>(a, b, k, c);
        case 2:
            return bf16_rows<2>(a, b, k, c);
        case 3:
            return bf16_rows<3>(a, b, k, c);
        case 4:
            return bf16_rows<4>(a, b, k, c);
        case 5:
            return bf16_rows<5>(a, b, k, c);
        default:
            return bf16_rows<6>(a, b, k, c);
    }
}

void tile_words(const WordTile& a, const WordChunk& w, std::int64_t k, int rows, float* c) {
    switch (rows) {
        case 1:
            return words_rows<1>(a, w, k, c);
        case 2:
            return words_rows<2>(a, w, k, c);
        case 3:
            return words_rows<3>(a, w, k, c);
        case 4:
            return words_rows<4>(a, w, k, c);
        case 5:
            return words_rows<5>(a, w, k, c);
        default:
            return words_rows<6>(a, w, k, c);
    }
}

template <int kGroups>
void bytes_by_rows(const ByteTile& a, const ByteChunk& w, std::int64_t k, int rows, float* c) {
    switch (rows) {
        case 1:
            return bytes_rows<1, kGroups>(a, w, k, c);
        case 2:
            return bytes_rows<2, kGroups>(a, w, k, c);
        case 3:
            return bytes_rows<3, kGroups>(a, w, k, c);
        default:
            return bytes_rows<4, kGroups>(a, w, k, c);
    }
}

void tile_bytes(const ByteTile& a, const ByteChunk& w, std::int64_t k, int rows, float* c) {
    switch (w.groups_per_scale) {
        case 8:
            return bytes_by_rows<8>(a, w, k, rows, c);
        case 4:
            return bytes_by_rows<4>(a, w, k, rows, c);
        default:
            return bytes_by_rows<2>(a, w, k, rows, c);
    }
}

}  // namespace

const Kernels& avx2_kernels() {
    static constexpr Kernels kTable{
        .level = IsaLevel::kAvx2,
        .float_rows_max = 6,
        .word_rows_max = 6,
        .byte_rows_max = 4,
        .half_rows_max = 0,
        .half_group = 0,
        .tile_f32 = tile_f32,
        .tile_scores = tile_scores,
        .tile_f16 = tile_f16,
        .tile_bf16 = tile_bf16,
        .tile_words = tile_words,
        .tile_bytes = tile_bytes,
        .tile_halves = nullptr,
        .row_words = avx2::row_words,
        .row_bytes = avx2::row_bytes,
        .unpack_words = avx2::unpack_words,
        .unpack_bytes = avx2::unpack_bytes,
        .quantize_words = avx2::quantize_words,
        .quantize_bytes = avx2::quantize_bytes,
        .round_halves = nullptr,
        .widen_f16 = avx2::widen_f16,
        .widen_bf16 = avx2::widen_bf16,
    };
    return kTable;
}

}  // namespace heddle::compute::cpu
