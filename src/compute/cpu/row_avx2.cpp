// Products of one row of activations, for decoding: a stored chunk is unpacked in registers and
// multiplied at once, since writing it out first would cost more than the multiplication. The sums
// are those of a tile with one row, bit for bit.
#include <immintrin.h>

#include "compute/cpu/kernels_avx2.h"

namespace heddle::compute::cpu::avx2 {
namespace {

inline __m256i load(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

// Where the stream will be by the time memory has answered.
constexpr int kAhead = 4096;

inline void prefetch(const std::byte* p) {
    _mm_prefetch(reinterpret_cast<const char*>(p) + kAhead, _MM_HINT_T0);
}

inline __m256i broadcast32(const void* p) {
    std::int32_t value;
    __builtin_memcpy(&value, p, sizeof(value));
    return _mm256_set1_epi32(value);
}

inline __m256i twice_first(__m256i pairs) {
    const __m256i low = _mm256_and_si256(pairs, _mm256_set1_epi32(0xFFFF));
    return _mm256_or_si256(low, _mm256_slli_epi32(pairs, 16));
}
inline __m256i twice_second(__m256i pairs) {
    const __m256i high = _mm256_srli_epi32(pairs, 16);
    return _mm256_or_si256(high, _mm256_slli_epi32(high, 16));
}

// Where a byte format's parts lie in a stored chunk (panels.h).
template <PanelFormat kFormat>
struct Layout;
template <>
struct Layout<PanelFormat::kQ4_K> {
    static constexpr int kScales = 64;
    static constexpr int kNibbles = 320;
    static constexpr int kFlush = 4;  // rows of nibbles (8 columns) that 16-bit sums hold
};
template <>
struct Layout<PanelFormat::kQ5_K> {
    static constexpr int kScales = 64;
    static constexpr int kNibbles = 320;
    static constexpr int kFlush = 2;
};
template <>
struct Layout<PanelFormat::kQ6_K> {
    static constexpr int kScales = 32;
    static constexpr int kNibbles = 288;
    static constexpr int kFlush = 1;
};
template <>
struct Layout<PanelFormat::kQ4_0> {
    static constexpr int kScales = 64;
    static constexpr int kFlush = 4;
};

// The pair of sub-blocks `pair`, lanes of rows 8h … 8h + 7.
template <PanelFormat kFormat>
inline __m256i scale_pair(const std::byte* scales, int pair, int h) {
    if constexpr (kFormat == PanelFormat::kQ4_0) {
        return load(scales + pair * 64 + h * 32);
    } else {
        const auto* p = reinterpret_cast<const __m128i*>(scales + pair * 32 + h * 16);
        if constexpr (kFormat == PanelFormat::kQ6_K) {
            return _mm256_cvtepi8_epi16(_mm_loadu_si128(p));
        } else {
            return _mm256_cvtepu8_epi16(_mm_loadu_si128(p));
        }
    }
}

template <int kShift>
inline __m256i shift(__m256i bits) {
    if constexpr (kShift >= 0) {
        return _mm256_slli_epi16(bits, kShift);
    } else {
        return _mm256_srli_epi16(bits, -kShift);
    }
}

// The bits above the nibble of group kGroup (0 … 7 of a block of 32 columns), in their place.
template <PanelFormat kFormat, int kGroup>
inline __m256i high_bits(const std::byte* high, int h) {
    if constexpr (kFormat == PanelFormat::kQ5_K) {
        return _mm256_and_si256(shift<4 - kGroup>(load(high + 32 * h)), _mm256_set1_epi8(0x10));
    } else {
        return _mm256_and_si256(shift<4 - 2 * (kGroup % 4)>(load(high + kGroup / 4 * 64 + 32 * h)),
                                _mm256_set1_epi8(0x30));
    }
}

struct RowSums {
    __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    __m256i part[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
};

// Row kRow of a block's four rows of nibbles: groups 2 kRow and 2 kRow + 1.
template <PanelFormat kFormat, int kRow>
inline void nibble_row(const std::byte* nibbles, const std::byte* high, const std::int8_t* x,
                       RowSums& sums) {
    const __m256i mask = _mm256_set1_epi8(15);
    const __m256i first = broadcast32(x + kRow * 8);
    const __m256i second = broadcast32(x + kRow * 8 + 4);
    prefetch(nibbles + kRow * 64);
    for (int h = 0; h < 2; ++h) {
        const __m256i both = load(nibbles + kRow * 64 + 32 * h);
        __m256i low = _mm256_and_si256(both, mask);
        __m256i up = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
        if constexpr (kFormat == PanelFormat::kQ5_K || kFormat == PanelFormat::kQ6_K) {
            low = _mm256_or_si256(low, high_bits<kFormat, 2 * kRow>(high, h));
            up = _mm256_or_si256(up, high_bits<kFormat, 2 * kRow + 1>(high, h));
        }
        const __m256i products =
            _mm256_add_epi16(_mm256_maddubs_epi16(low, first), _mm256_maddubs_epi16(up, second));
        sums.part[h] = _mm256_add_epi16(sums.part[h], products);
    }
}

inline void flush(const __m256i (&scale)[2], RowSums& sums) {
    for (int h = 0; h < 2; ++h) {
        sums.sum[h] = _mm256_add_epi32(sums.sum[h], _mm256_madd_epi16(sums.part[h], scale[h]));
        sums.part[h] = _mm256_setzero_si256();
    }
}

// 32 columns; `scale` of each half of them.
template <PanelFormat kFormat>
inline void block(const std::byte* nibbles, const std::byte* high, const std::int8_t* x,
                  const __m256i (&scale)[2][2], RowSums& sums) {
    constexpr int kFlush = Layout<kFormat>::kFlush;
    if constexpr (kFormat == PanelFormat::kQ5_K || kFormat == PanelFormat::kQ6_K) prefetch(high);
    if constexpr (kFormat == PanelFormat::kQ6_K) prefetch(high + 64);
    nibble_row<kFormat, 0>(nibbles, high, x, sums);
    if constexpr (kFlush == 1) flush(scale[0], sums);
    nibble_row<kFormat, 1>(nibbles, high, x, sums);
    if constexpr (kFlush <= 2) flush(scale[0], sums);
    nibble_row<kFormat, 2>(nibbles, high, x, sums);
    if constexpr (kFlush == 1) flush(scale[1], sums);
    nibble_row<kFormat, 3>(nibbles, high, x, sums);
    flush(scale[1], sums);
}

template <PanelFormat kFormat>
void products(const std::byte* packed, std::int64_t kc, const std::int8_t* x, RowSums& sums) {
    const std::byte* scales = packed + Layout<kFormat>::kScales;
    const int blocks = static_cast<int>(kc / 32);
    const std::byte* nibbles = packed;
    if constexpr (kFormat == PanelFormat::kQ4_0) {
        nibbles = scales + (blocks + 1) / 2 * 64;
    } else {
        nibbles += Layout<kFormat>::kNibbles;
    }
    const std::byte* high = nibbles + blocks * 256;
    for (const std::byte* p = packed; p < nibbles; p += 64) prefetch(p);
    for (int b = 0; b < blocks; ++b) {
        __m256i scale[2][2];
        for (int h = 0; h < 2; ++h) {
            if constexpr (kFormat == PanelFormat::kQ6_K) {
                const __m256i both = scale_pair<kFormat>(scales, b, h);
                scale[0][h] = twice_first(both);
                scale[1][h] = twice_second(both);
            } else {
                const __m256i both = scale_pair<kFormat>(scales, b / 2, h);
                scale[0][h] = b % 2 == 0 ? twice_first(both) : twice_second(both);
                scale[1][h] = scale[0][h];
            }
        }
        block<kFormat>(nibbles + b * 256, high, x + b * 32, scale, sums);
        high += kFormat == PanelFormat::kQ6_K ? 128 : 64;
    }
}

// Mins times sums of activations, lanes of rows 8h … 8h + 7.
template <PanelFormat kFormat>
__m256i min_products(const std::byte* packed, std::int64_t kc, const std::int16_t* xs, int h) {
    constexpr bool kOwnMins = kFormat == PanelFormat::kQ4_K || kFormat == PanelFormat::kQ5_K;
    const std::byte* mins = packed + (kOwnMins ? 192 : Layout<kFormat>::kScales);
    const int sub_cols = kFormat == PanelFormat::kQ6_K ? 16 : 32;
    const int pairs = static_cast<int>((kc / sub_cols + 1) / 2);
    __m256i sum = _mm256_setzero_si256();
    for (int pair = 0; pair < pairs; ++pair) {
        __m256i m = scale_pair<kFormat>(mins, pair, h);
        if constexpr (kFormat == PanelFormat::kQ4_0) m = _mm256_slli_epi16(m, 3);
        if constexpr (kFormat == PanelFormat::kQ6_K) m = _mm256_slli_epi16(m, 5);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(m, broadcast32(xs + 2 * pair)));
    }
    return sum;
}

template <PanelFormat kFormat>
inline __m256 unit(const std::byte* packed, bool min, int h) {
    if constexpr (kFormat == PanelFormat::kQ4_0) {
        return _mm256_loadu_ps(reinterpret_cast<const float*>(packed) + 8 * h);
    } else {
        constexpr bool kOwnMins = kFormat != PanelFormat::kQ6_K;
        const auto* p = reinterpret_cast<const __m128i*>(packed + (kOwnMins && min ? 32 : 0));
        return _mm256_cvtph_ps(_mm_loadu_si128(p + h));
    }
}

template <PanelFormat kFormat>
void row(const ByteTile& a, const std::byte* packed, std::int64_t kc, float* c) {
    RowSums sums;
    products<kFormat>(packed, kc, a.bytes, sums);
    const __m256 scale = _mm256_broadcast_ss(a.scale);
    for (int h = 0; h < 2; ++h) {
        const __m256i mins = min_products<kFormat>(packed, kc, a.sums, h);
        const __m256 y = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums.sum[h]),
                                         _mm256_mul_ps(scale, unit<kFormat>(packed, false, h)),
                                         _mm256_loadu_ps(c + 8 * h));
        _mm256_storeu_ps(c + 8 * h,
                         _mm256_fnmadd_ps(_mm256_cvtepi32_ps(mins),
                                          _mm256_mul_ps(scale, unit<kFormat>(packed, true, h)), y));
    }
}

}  // namespace

void row_bytes(PanelFormat format, const ByteTile& a, const std::byte* packed, std::int64_t kc,
               float* c) {
    switch (format) {
        case PanelFormat::kQ4_0:
            return row<PanelFormat::kQ4_0>(a, packed, kc, c);
        case PanelFormat::kQ4_K:
            return row<PanelFormat::kQ4_K>(a, packed, kc, c);
        case PanelFormat::kQ5_K:
            return row<PanelFormat::kQ5_K>(a, packed, kc, c);
        default:
            return row<PanelFormat::kQ6_K>(a, packed, kc, c);
    }
}

void row_words(const WordTile& a, const std::byte* packed, std::int64_t kc, float* c) {
    const auto blocks = static_cast<int>(kc / 32);
    const std::byte* scales = packed + 64;
    const std::byte* from = scales + (blocks + 1) / 2 * 64;
    const std::int16_t* x = a.words;
    const __m256i zero = _mm256_setzero_si256();
    __m256i sum[2] = {zero, zero};
    for (int b = 0; b < blocks; ++b) {
        __m256i s[2];
        for (int h = 0; h < 2; ++h) {
            const __m256i both = load(scales + b / 2 * 64 + h * 32);
            s[h] = b % 2 == 0 ? twice_first(both) : twice_second(both);
        }
        for (int g = 0; g < 8; ++g) {
            prefetch(from);
            const __m256i first = broadcast32(x);
            const __m256i second = broadcast32(x + 2);
            for (int h = 0; h < 2; ++h) {
                const __m256i q = load(from + 32 * h);
                const __m256i w0 = _mm256_mulhrs_epi16(_mm256_unpacklo_epi8(zero, q), s[h]);
                const __m256i w1 = _mm256_mulhrs_epi16(_mm256_unpackhi_epi8(zero, q), s[h]);
                sum[h] = _mm256_add_epi32(sum[h], _mm256_add_epi32(_mm256_madd_epi16(w0, first),
                                                                   _mm256_madd_epi16(w1, second)));
            }
            from += 64;
            x += 4;
        }
    }
    const __m256 scale = _mm256_broadcast_ss(a.scale);
    for (int h = 0; h < 2; ++h) {
        const __m256 d =
            _mm256_mul_ps(_mm256_loadu_ps(reinterpret_cast<const float*>(packed) + 8 * h),
                          _mm256_set1_ps(128.0F));
        _mm256_storeu_ps(c + 8 * h,
                         _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[h]), _mm256_mul_ps(scale, d),
                                         _mm256_loadu_ps(c + 8 * h)));
    }
}

}  // namespace heddle::compute::cpu::avx2
