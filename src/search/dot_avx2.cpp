// AVX2. vpmaddubsw multiplies unsigned by signed bytes, so the sign of the query moves to the row:
// |q| · sign(row, q). Two products of at most 127² fit its 16-bit sums.
#include <immintrin.h>

#include "search/dot.h"

namespace heddle::search::impl {
namespace {

std::int32_t sum_lanes(__m256i v) {
    const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i quarter = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0xb1)));
}

__m256i products(__m256i magnitude, __m256i query, const std::int8_t* row) {
    const __m256i codes = _mm256_load_si256(reinterpret_cast<const __m256i*>(row));
    const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(codes, query));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

void scan(const std::int8_t* query, const std::int8_t* rows, std::size_t count, std::size_t stride,
          std::int32_t* out) {
    std::size_t i = 0;
    // Four rows share each load of the query.
    for (; i + 4 <= count; i += 4) {
        const std::int8_t* row = rows + i * stride;
        __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                           _mm256_setzero_si256()};
        for (std::size_t j = 0; j < stride; j += 32) {
            const __m256i q = _mm256_load_si256(reinterpret_cast<const __m256i*>(query + j));
            const __m256i magnitude = _mm256_abs_epi8(q);
            for (std::size_t r = 0; r < 4; ++r) {
                sums[r] = _mm256_add_epi32(sums[r], products(magnitude, q, row + r * stride + j));
            }
        }
        for (std::size_t r = 0; r < 4; ++r) out[i + r] = sum_lanes(sums[r]);
    }
    for (; i < count; ++i) {
        __m256i sum = _mm256_setzero_si256();
        for (std::size_t j = 0; j < stride; j += 32) {
            const __m256i q = _mm256_load_si256(reinterpret_cast<const __m256i*>(query + j));
            sum = _mm256_add_epi32(sum, products(_mm256_abs_epi8(q), q, rows + i * stride + j));
        }
        out[i] = sum_lanes(sum);
    }
}

float dot(const float* a, const float* b, std::size_t count) {
    __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    std::size_t j = 0;
    for (; j + 16 <= count; j += 16) {
        sums[0] = _mm256_fmadd_ps(_mm256_loadu_ps(a + j), _mm256_loadu_ps(b + j), sums[0]);
        sums[1] = _mm256_fmadd_ps(_mm256_loadu_ps(a + j + 8), _mm256_loadu_ps(b + j + 8), sums[1]);
    }
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, _mm256_add_ps(sums[0], sums[1]));
    float sum = 0;
    for (; j < count; ++j) sum += a[j] * b[j];
    for (const float lane : lanes) sum += lane;
    return sum;
}

}  // namespace

const DotKernels kAvx2DotKernels{.name = "avx2", .scan = scan, .dot = dot};

}  // namespace heddle::search::impl
