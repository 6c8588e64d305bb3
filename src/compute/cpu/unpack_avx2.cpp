// From stored panels to integers, and from activations to integers, for AVX2. Layouts: panels.h.
#include <immintrin.h>

#include "compute/cpu/kernels_avx2.h"

namespace heddle::compute::cpu::avx2 {
namespace {

inline __m256i load(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline void store(void* p, __m256i v) {
    _mm256_store_si256(static_cast<__m256i*>(p), v);
}

// (s0, s1) in every 32-bit lane to (s0, s0) or (s1, s1).
inline __m256i twice_first(__m256i pairs) {
    const __m256i low = _mm256_and_si256(pairs, _mm256_set1_epi32(0xFFFF));
    return _mm256_or_si256(low, _mm256_slli_epi32(pairs, 16));
}
inline __m256i twice_second(__m256i pairs) {
    const __m256i high = _mm256_srli_epi32(pairs, 16);
    return _mm256_or_si256(high, _mm256_slli_epi32(high, 16));
}

inline void halves_to_float(const std::byte* halves, float* out) {
    const auto* p = reinterpret_cast<const __m128i*>(halves);
    _mm256_store_ps(out, _mm256_cvtph_ps(_mm_loadu_si128(p)));
    _mm256_store_ps(out + 8, _mm256_cvtph_ps(_mm_loadu_si128(p + 1)));
}

// Low and high nibbles of 64 bytes to two groups.
inline void split_nibbles(const std::byte* packed, std::int64_t rows, std::uint8_t* out) {
    const __m256i mask = _mm256_set1_epi8(15);
    for (std::int64_t j = 0; j < rows; ++j) {
        for (int h = 0; h < 2; ++h) {
            const __m256i b = load(packed + 32 * h);
            store(out + 32 * h, _mm256_and_si256(b, mask));
            store(out + 64 + 32 * h, _mm256_and_si256(_mm256_srli_epi16(b, 4), mask));
        }
        packed += 64;
        out += 128;
    }
}

// The pair of sub-blocks `pair` of scales as 16-bit lanes of rows 8h … 8h + 7.
using PairLoader = __m256i (*)(const std::byte* scales, int pair, int h);

inline __m256i unsigned_pair(const std::byte* scales, int pair, int h) {
    return _mm256_cvtepu8_epi16(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(scales + pair * 32 + h * 16)));
}
inline __m256i signed_pair(const std::byte* scales, int pair, int h) {
    return _mm256_cvtepi8_epi16(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(scales + pair * 32 + h * 16)));
}
inline __m256i word_pair(const std::byte* scales, int pair, int h) {
    return load(scales + pair * 64 + h * 32);
}

// Scales of `pairs` pairs of sub-blocks, each `copies` times in a row.
template <PairLoader kLoad>
inline void spread_scales(const std::byte* scales, int pairs, int copies, ByteChunk& out) {
    for (int pair = 0; pair < pairs; ++pair) {
        for (int h = 0; h < 2; ++h) {
            const __m256i both = kLoad(scales, pair, h);
            for (int i = 0; i < copies; ++i) {
                store(out.scales[2 * pair * copies + i][8 * h], twice_first(both));
                store(out.scales[(2 * pair + 1) * copies + i][8 * h], twice_second(both));
            }
        }
    }
}

void unpack_q4_0(const std::byte* packed, std::int64_t kc, ByteChunk& out) {
    const auto pairs = static_cast<int>((kc / 32 + 1) / 2);
    const std::byte* scales = packed + 64;
    for (int h = 0; h < 2; ++h) {
        const __m256 d = _mm256_loadu_ps(reinterpret_cast<const float*>(packed) + 8 * h);
        _mm256_store_ps(out.d + 8 * h, d);
        _mm256_store_ps(out.dmin + 8 * h, d);
        for (int pair = 0; pair < pairs; ++pair) {
            // The weights' offset of 8.
            store(out.mins[pair][8 * h], _mm256_slli_epi16(word_pair(scales, pair, h), 3));
        }
    }
    spread_scales<word_pair>(scales, pairs, 1, out);
    split_nibbles(scales + pairs * 64, kc / 8, out.bytes);
    out.groups_per_scale = 8;
    out.min_pairs = pairs;
    out.min_block_cols = 32;
}

// What q4_K and q5_K share; returns the address behind the nibbles.
const std::byte* unpack_scale_min(const std::byte* packed, int copies, ByteChunk& out) {
    halves_to_float(packed, out.d);
    halves_to_float(packed + 32, out.dmin);
    spread_scales<unsigned_pair>(packed + 64, 4, copies, out);
    for (int pair = 0; pair < 4; ++pair) {
        for (int h = 0; h < 2; ++h) {
            store(out.mins[pair][8 * h], unsigned_pair(packed + 192, pair, h));
        }
    }
    split_nibbles(packed + 320, 32, out.bytes);
    out.groups_per_scale = 8 / copies;
    out.min_pairs = 4;
    out.min_block_cols = 32;
    return packed + 320 + 2048;
}

void unpack_q5_k(const std::byte* packed, ByteChunk& out) {
    const std::byte* high = unpack_scale_min(packed, 2, out);
    const __m256i mask = _mm256_set1_epi8(16);
    for (int j = 0; j < 8; ++j) {
        for (int h = 0; h < 2; ++h) {
            const __m256i bits = load(high + j * 64 + h * 32);
            std::uint8_t* to = out.bytes + j * 8 * 64 + h * 32;
            const auto merge = [&](int group, __m256i shifted) {
                store(to + group * 64,
                      _mm256_or_si256(load(to + group * 64), _mm256_and_si256(shifted, mask)));
            };
            merge(0, _mm256_slli_epi16(bits, 4));
            merge(1, _mm256_slli_epi16(bits, 3));
            merge(2, _mm256_slli_epi16(bits, 2));
            merge(3, _mm256_slli_epi16(bits, 1));
            merge(4, bits);
            merge(5, _mm256_srli_epi16(bits, 1));
            merge(6, _mm256_srli_epi16(bits, 2));
            merge(7, _mm256_srli_epi16(bits, 3));
        }
    }
}

void unpack_q6_k(const std::byte* packed, ByteChunk& out) {
    halves_to_float(packed, out.d);
    halves_to_float(packed, out.dmin);
    const std::byte* scales = packed + 32;
    spread_scales<signed_pair>(scales, 8, 2, out);
    for (int pair = 0; pair < 8; ++pair) {
        for (int h = 0; h < 2; ++h) {
            // The weights' offset of 32.
            store(out.mins[pair][8 * h], _mm256_slli_epi16(signed_pair(scales, pair, h), 5));
        }
    }
    split_nibbles(packed + 288, 32, out.bytes);
    const std::byte* high = packed + 288 + 2048;
    const __m256i mask = _mm256_set1_epi8(0x30);
    for (int j = 0; j < 16; ++j) {
        for (int h = 0; h < 2; ++h) {
            const __m256i bits = load(high + j * 64 + h * 32);
            std::uint8_t* to = out.bytes + j * 4 * 64 + h * 32;
            const auto merge = [&](int group, __m256i shifted) {
                store(to + group * 64,
                      _mm256_or_si256(load(to + group * 64), _mm256_and_si256(shifted, mask)));
            };
            merge(0, _mm256_slli_epi16(bits, 4));
            merge(1, _mm256_slli_epi16(bits, 2));
            merge(2, bits);
            merge(3, _mm256_srli_epi16(bits, 2));
        }
    }
    out.groups_per_scale = 2;
    out.min_pairs = 8;
    out.min_block_cols = 16;
}

// Magnitudes below this count as zero, so that their inverse stays finite.
constexpr float kTiny = 1e-30F;

// Largest magnitude of kc values, kc a multiple of 4.
float largest_magnitude(const float* x, std::int64_t kc) {
    const __m128 sign = _mm_set1_ps(-0.0F);
    __m128 largest = _mm_setzero_ps();
    for (std::int64_t i = 0; i < kc; i += 4) {
        largest = _mm_max_ps(largest, _mm_andnot_ps(sign, _mm_loadu_ps(x + i)));
    }
    largest = _mm_max_ps(largest, _mm_movehl_ps(largest, largest));
    largest = _mm_max_ss(largest, _mm_movehdup_ps(largest));
    return _mm_cvtss_f32(largest);
}

}  // namespace

void unpack_words(const std::byte* packed, std::int64_t kc, WordChunk& out) {
    const auto blocks = static_cast<int>(kc / 32);
    const std::byte* scales = packed + 64;
    const std::byte* from = scales + (blocks + 1) / 2 * 64;
    // A word is round(q * s / 128).
    for (int h = 0; h < 2; ++h) {
        const __m256 d = _mm256_loadu_ps(reinterpret_cast<const float*>(packed) + 8 * h);
        _mm256_store_ps(out.scale + 8 * h, _mm256_mul_ps(d, _mm256_set1_ps(128.0F)));
    }
    const __m256i zero = _mm256_setzero_si256();
    std::int16_t* to = out.words;
    for (int b = 0; b < blocks; ++b) {
        __m256i s[2];
        for (int h = 0; h < 2; ++h) {
            const __m256i both = word_pair(scales, b / 2, h);
            s[h] = b % 2 == 0 ? twice_first(both) : twice_second(both);
        }
        for (int g = 0; g < 8; ++g) {
            for (int h = 0; h < 2; ++h) {
                const __m256i q = load(from + 32 * h);
                const __m256i first = _mm256_unpacklo_epi8(zero, q);  // 256 * q
                const __m256i second = _mm256_unpackhi_epi8(zero, q);
                store(to + 16 * h, _mm256_mulhrs_epi16(first, s[h]));
                store(to + 32 + 16 * h, _mm256_mulhrs_epi16(second, s[h]));
            }
            from += 64;
            to += 64;
        }
    }
}

void unpack_bytes(PanelFormat format, const std::byte* packed, std::int64_t kc, ByteChunk& out) {
    switch (format) {
        case PanelFormat::kQ4_0:
            return unpack_q4_0(packed, kc, out);
        case PanelFormat::kQ4_K:
            unpack_scale_min(packed, 1, out);
            return;
        case PanelFormat::kQ5_K:
            return unpack_q5_k(packed, out);
        default:
            return unpack_q6_k(packed, out);
    }
}

float quantize_words(const float* x, std::int64_t kc, std::int64_t stride, std::int16_t* words) {
    const float largest = largest_magnitude(x, kc);
    const __m128 inverse = _mm_set1_ps(largest > kTiny ? 2047.0F / largest : 0.0F);
    for (std::int64_t i = 0; i < kc; i += 4) {
        const __m128i q = _mm_cvtps_epi32(_mm_mul_ps(_mm_loadu_ps(x + i), inverse));
        const std::int64_t four = _mm_cvtsi128_si64(_mm_packs_epi32(q, q));
        const auto low = static_cast<std::int32_t>(four);
        const auto high = static_cast<std::int32_t>(four >> 32);
        __builtin_memcpy(words + i / 2 * stride * 2, &low, sizeof(low));
        __builtin_memcpy(words + (i / 2 + 1) * stride * 2, &high, sizeof(high));
    }
    return largest / 2047.0F;
}

float quantize_bytes(const float* x, std::int64_t kc, std::int64_t stride, std::int8_t* bytes) {
    const float largest = largest_magnitude(x, kc);
    const __m128 inverse = _mm_set1_ps(largest > kTiny ? 127.0F / largest : 0.0F);
    for (std::int64_t i = 0; i < kc; i += 4) {
        const __m128i q = _mm_cvtps_epi32(_mm_mul_ps(_mm_loadu_ps(x + i), inverse));
        const __m128i words = _mm_packs_epi32(q, q);
        const std::int32_t four = _mm_cvtsi128_si32(_mm_packs_epi16(words, words));
        __builtin_memcpy(bytes + i / 4 * stride * 4, &four, sizeof(four));
    }
    return largest / 127.0F;
}

void widen_f16(const std::uint16_t* x, std::int64_t n, float* out) {
    for (std::int64_t i = 0; i < n; i += 8) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(halves));
    }
}

void widen_bf16(const std::uint16_t* x, std::int64_t n, float* out) {
    for (std::int64_t i = 0; i < n; i += 8) {
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
        const __m256i wide = _mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16);
        _mm256_storeu_ps(out + i, _mm256_castsi256_ps(wide));
    }
}

}  // namespace heddle::compute::cpu::avx2
