// Tile products for AVX-512: a panel's 16 rows are one vector, activations are broadcast from
// memory by the instruction itself. Included once by each kernels_avx512*.cpp, which says through
// HEDDLE_VNNI whether there are dot-product instructions; everything has internal linkage.
#include <immintrin.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/kernels_avx2.h"

namespace heddle::compute::cpu {
namespace {

constexpr int kTileRows = 12;

inline __m512i load(const void* p) {
    return _mm512_load_si512(p);
}

inline __m512i broadcast32(const void* p) {
    std::int32_t value;
    __builtin_memcpy(&value, p, sizeof(value));
    return _mm512_set1_epi32(value);
}

template <int kRows>
struct Sums {
    __m512 v[kRows];

    inline void load(const float* c, std::int64_t ldc) {
        for (int r = 0; r < kRows; ++r) v[r] = _mm512_loadu_ps(c + r * ldc);
    }
    inline void store(float* c, std::int64_t ldc) const {
        for (int r = 0; r < kRows; ++r) _mm512_storeu_ps(c + r * ldc, v[r]);
    }
    // One column of activations, `kStride` floats from row to row.
    template <int kStride = 1>
    inline void add(const float* a, __m512 b) {
        for (int r = 0; r < kRows; ++r) {
            v[r] = _mm512_fmadd_ps(_mm512_set1_ps(a[r * kStride]), b, v[r]);
        }
    }
};

struct F32Tile {
    template <int kRows>
    static void run(const float* a, const float* b, std::int64_t ldb, std::int64_t k, float* c,
                    std::int64_t ldc) {
        Sums<kRows> sums;
        sums.load(c, ldc);
        for (std::int64_t i = 0; i < k; ++i) {
            sums.add(a + i * kRows, _mm512_loadu_ps(b + i * ldb));
        }
        sums.store(c, ldc);
    }
};

struct ScoresTile {
    template <int kRows>
    static void run(const float* p, const float* b, std::int64_t ldb, std::int64_t k, float* c,
                    std::int64_t ldc) {
        Sums<kRows> sums;
        sums.load(c, ldc);
        for (std::int64_t i = 0; i < k; ++i) {
            sums.template add<kPanelRows>(p + i, _mm512_loadu_ps(b + i * ldb));
        }
        sums.store(c, ldc);
    }
};

struct F16Tile {
    template <int kRows>
    static void run(const float* a, const std::uint16_t* b, std::int64_t k, float* c) {
        Sums<kRows> sums;
        sums.load(c, kPanelRows);
        for (std::int64_t i = 0; i < k; ++i) {
            const auto* p = reinterpret_cast<const __m256i*>(b + i * kPanelRows);
            sums.add(a + i * kRows, _mm512_cvtph_ps(_mm256_load_si256(p)));
        }
        sums.store(c, kPanelRows);
    }
};

struct BF16Tile {
    template <int kRows>
    static void run(const float* a, const std::uint16_t* b, std::int64_t k, float* c) {
        const __m512i high = _mm512_set1_epi32(static_cast<int>(0xFFFF0000U));
        Sums<kRows> sums;
        sums.load(c, kPanelRows);
        for (std::int64_t i = 0; i < k; i += 2) {
            const __m512i pair = cpu::load(b + i * kPanelRows);
            sums.add(a + i * kRows, _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16)));
            if (i + 1 == k) break;
            sums.add(a + (i + 1) * kRows, _mm512_castsi512_ps(_mm512_and_si512(pair, high)));
        }
        sums.store(c, kPanelRows);
    }
};

inline __m512i add_words(__m512i sum, __m512i w, __m512i x) {
#if HEDDLE_VNNI
    return _mm512_dpwssd_epi32(sum, w, x);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(w, x));
#endif
}

struct WordsTile {
    template <int kRows>
    static void run(const WordTile& a, const WordChunk& w, std::int64_t k, float* c) {
        __m512i sum[kRows];
        for (auto& row : sum) row = _mm512_setzero_si512();
        const std::int16_t* x = a.words;
        const std::int16_t* p = w.words;
        for (std::int64_t i = 0; i < k; i += 2) {
            const __m512i words = load(p);
            for (int r = 0; r < kRows; ++r) {
                sum[r] = add_words(sum[r], words, broadcast32(x + 2 * r));
            }
            x += 2 * kRows;
            p += 2 * kPanelRows;
        }
        const __m512 unit = _mm512_load_ps(w.scale);
        for (int r = 0; r < kRows; ++r) {
            float* to = c + r * kPanelRows;
            const __m512 s = _mm512_mul_ps(_mm512_set1_ps(a.scale[r]), unit);
            _mm512_storeu_ps(to,
                             _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r]), s, _mm512_loadu_ps(to)));
        }
    }
};

// `groups` groups of four columns, added to `sum` with their common scale.
template <int kRows>
inline void scaled_groups(const std::int8_t* x, const std::uint8_t* p, int groups,
                          const std::int16_t* scale, __m512i (&sum)[kRows]) {
    __m512i part[kRows];
    for (auto& row : part) row = _mm512_setzero_si512();
    for (int g = 0; g < groups; ++g) {
        const __m512i bytes = load(p + g * 64);
        for (int r = 0; r < kRows; ++r) {
            const __m512i xr = broadcast32(x + (g * kRows + r) * 4);
#if HEDDLE_VNNI
            part[r] = _mm512_dpbusd_epi32(part[r], bytes, xr);
#else
            part[r] = _mm512_add_epi16(part[r], _mm512_maddubs_epi16(bytes, xr));
#endif
        }
    }
#if HEDDLE_VNNI
    const __m512i s = _mm512_srai_epi32(load(scale), 16);
    for (int r = 0; r < kRows; ++r) {
        sum[r] = _mm512_add_epi32(sum[r], _mm512_mullo_epi32(part[r], s));
    }
#else
    const __m512i s = load(scale);
    for (int r = 0; r < kRows; ++r) {
        sum[r] = _mm512_add_epi32(sum[r], _mm512_madd_epi16(part[r], s));
    }
#endif
}

struct BytesTile {
    template <int kRows>
    static void run(const ByteTile& a, const ByteChunk& w, std::int64_t k, float* c) {
        __m512i sum[kRows];
        for (auto& row : sum) row = _mm512_setzero_si512();
        // 32-bit sums take a whole sub-block before its scale, 16-bit ones only what fits.
        const int groups = HEDDLE_VNNI ? w.min_block_cols / 4 : w.groups_per_scale;
        const int copies = groups / w.groups_per_scale;
        const auto steps = static_cast<int>(k / (4 * groups));
        for (int s = 0; s < steps; ++s) {
            scaled_groups<kRows>(a.bytes + s * groups * kRows * 4, w.bytes + s * groups * 64,
                                 groups, w.scales[s * copies][0], sum);
        }
        const __m512 d = _mm512_load_ps(w.d);
        const __m512 dmin = _mm512_load_ps(w.dmin);
        for (int r = 0; r < kRows; ++r) {
            __m512i mins = _mm512_setzero_si512();
            for (int p = 0; p < w.min_pairs; ++p) {
                mins = add_words(mins, load(w.mins[p]), broadcast32(a.sums + (p * kRows + r) * 2));
            }
            const __m512 scale = _mm512_set1_ps(a.scale[r]);
            float* to = c + r * kPanelRows;
            const __m512 y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r]), _mm512_mul_ps(scale, d),
                                             _mm512_loadu_ps(to));
            _mm512_storeu_ps(
                to, _mm512_fnmadd_ps(_mm512_cvtepi32_ps(mins), _mm512_mul_ps(scale, dmin), y));
        }
    }
};

// Calls Tile::run<rows> for rows = 1 … kTileRows.
template <class Tile, int kRows = kTileRows, class... Args>
inline void by_rows(int rows, Args&&... args) {
    if constexpr (kRows > 1) {
        if (rows < kRows) return by_rows<Tile, kRows - 1>(rows, args...);
    }
    Tile::template run<kRows>(args...);
}

void tile_f32(const float* a, const float* b, std::int64_t ldb, std::int64_t k, int rows, float* c,
              std::int64_t ldc) {
    by_rows<F32Tile>(rows, a, b, ldb, k, c, ldc);
}
void tile_scores(const float* p, const float* b, std::int64_t ldb, std::int64_t k, int rows,
                 float* c, std::int64_t ldc) {
    by_rows<ScoresTile>(rows, p, b, ldb, k, c, ldc);
}
void tile_f16(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c) {
    by_rows<F16Tile>(rows, a, b, k, c);
}
void tile_bf16(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c) {
    by_rows<BF16Tile>(rows, a, b, k, c);
}
void tile_words(const WordTile& a, const WordChunk& w, std::int64_t k, int rows, float* c) {
    by_rows<WordsTile>(rows, a, w, k, c);
}
void tile_bytes(const ByteTile& a, const ByteChunk& w, std::int64_t k, int rows, float* c) {
    by_rows<BytesTile>(rows, a, w, k, c);
}

constexpr Kernels kTable{
    .level = HEDDLE_VNNI ? IsaLevel::kAvx512Vnni : IsaLevel::kAvx512,
    .float_rows_max = kTileRows,
    .word_rows_max = kTileRows,
    .byte_rows_max = kTileRows,
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

}  // namespace
}  // namespace heddle::compute::cpu
