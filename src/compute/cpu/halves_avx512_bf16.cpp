// Products of bf16 by bf16 with fp32 sums (AVX512_BF16: vdpbf16ps adds two products a lane).
#include "compute/cpu/halves_avx512_bf16.h"

#include <immintrin.h>

#include "compute/cpu/panels.h"

namespace heddle::compute::cpu::avx512_bf16 {
namespace {

inline __m512bh pairs(__m512i v) {
    return __builtin_bit_cast(__m512bh, v);
}

inline __m512i round32(const float* x) {
    return __builtin_bit_cast(__m512i,
                              _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 16), _mm512_loadu_ps(x)));
}

template <int kRows>
void rows_of(const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, float* c) {
    __m512 sum[kRows];
    for (int r = 0; r < kRows; ++r) sum[r] = _mm512_loadu_ps(c + r * kPanelRows);
    for (std::int64_t i = 0; i < (k + 1) / 2; ++i) {
        const __m512bh w = pairs(_mm512_load_si512(b + i * 2 * kPanelRows));
        for (int r = 0; r < kRows; ++r) {
            std::int32_t x;
            __builtin_memcpy(&x, a + (i * kRows + r) * 2, sizeof(x));
            sum[r] = _mm512_dpbf16_ps(sum[r], w, pairs(_mm512_set1_epi32(x)));
        }
    }
    for (int r = 0; r < kRows; ++r) _mm512_storeu_ps(c + r * kPanelRows, sum[r]);
}

template <int kRows = kHalfRows>
void by_rows(int rows, const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, float* c) {
    if constexpr (kRows > 1) {
        if (rows < kRows) return by_rows<kRows - 1>(rows, a, b, k, c);
    }
    rows_of<kRows>(a, b, k, c);
}

}  // namespace

void tile_halves(const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, int rows,
                 float* c) {
    by_rows(rows, a, b, k, c);
}

void round_pairs(const float* x, std::int64_t kc, std::int64_t stride, std::uint16_t* halves) {
    for (std::int64_t i = 0; i < kc; i += 32) {
        alignas(64) std::int32_t two[16];
        _mm512_store_si512(two, round32(x + i));
        for (int p = 0; p < 16; ++p) {
            __builtin_memcpy(halves + (i / 2 + p) * stride * 2, two + p, sizeof(two[p]));
        }
    }
}

void round_lines(const float* x, std::int64_t kc, std::int64_t stride, std::uint16_t* halves) {
    for (std::int64_t i = 0; i < kc; i += 32) {
        _mm512_storeu_si512(halves + i * stride, round32(x + i));
    }
}

}  // namespace heddle::compute::cpu::avx512_bf16
