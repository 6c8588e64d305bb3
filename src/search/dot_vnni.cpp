// AVX-512 VNNI. vpdpbusd multiplies unsigned by signed bytes: the query goes in as q + 128, and
// 128 · Σ row, summed beside it, is taken off again. Both sums fit 32 bits for any real length.
#include <immintrin.h>

#include "search/dot.h"

namespace heddle::search::impl {
namespace {

void scan(const std::int8_t* query, const std::int8_t* rows, std::size_t count, std::size_t stride,
          std::int32_t* out) {
    const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
    for (std::size_t i = 0; i < count; ++i) {
        const std::int8_t* row = rows + i * stride;
        __m512i raised = _mm512_setzero_si512();
        __m512i excess = _mm512_setzero_si512();
        for (std::size_t j = 0; j < stride; j += 64) {
            const __m512i q = _mm512_load_si512(query + j);
            const __m512i codes = _mm512_load_si512(row + j);
            raised = _mm512_dpbusd_epi32(raised, _mm512_xor_si512(q, offset), codes);
            excess = _mm512_dpbusd_epi32(excess, offset, codes);
        }
        out[i] = _mm512_reduce_add_epi32(_mm512_sub_epi32(raised, excess));
    }
}

float dot(const float* a, const float* b, std::size_t count) {
    __m512 sums = _mm512_setzero_ps();
    std::size_t j = 0;
    for (; j + 16 <= count; j += 16) {
        sums = _mm512_fmadd_ps(_mm512_loadu_ps(a + j), _mm512_loadu_ps(b + j), sums);
    }
    float sum = _mm512_reduce_add_ps(sums);
    for (; j < count; ++j) sum += a[j] * b[j];
    return sum;
}

}  // namespace

const DotKernels kVnniDotKernels{.name = "avx512_vnni", .scan = scan, .dot = dot};

}  // namespace heddle::search::impl
