// The source of every VectorKernels table, in the compiler's vector types: included once by each
// vector_kernels_*.cpp, which sets HEDDLE_VECTOR_WIDTH and is compiled with its own flags.
// Everything has internal linkage. Sums run over lanes first and then over the lanes in a fixed
// tree, so that a row's result depends on its own length only.
#include "compute/cpu/vector_kernels.h"

namespace heddle::compute::cpu {
namespace {

constexpr int kWidth = HEDDLE_VECTOR_WIDTH;
using F = float __attribute__((vector_size(kWidth * 4)));
using I = std::int32_t __attribute__((vector_size(kWidth * 4)));

inline F splat(float value) {
    return F{} + value;
}

inline F load(const float* p) {
    F v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}
inline void store(float* p, F v) {
    __builtin_memcpy(p, &v, sizeof(v));
}

// The first n of a vector; the others `fill`.
inline F load_some(const float* p, std::int64_t n, float fill) {
    float lanes[kWidth];
    for (int i = 0; i < kWidth; ++i) lanes[i] = i < n ? p[i] : fill;
    return load(lanes);
}
inline void store_some(float* p, F v, std::int64_t n) {
    for (int i = 0; i < n; ++i) p[i] = v[i];
}

inline F largest(F a, F b) {
    return a > b ? a : b;
}
inline F smallest(F a, F b) {
    return a < b ? a : b;
}
inline F magnitude(F x) {
    return __builtin_bit_cast(F, __builtin_bit_cast(I, x) & (I{} + 0x7FFFFFFF));
}

inline float sum_lanes(F v) {
    float lanes[kWidth];
    store(lanes, v);
    for (int half = kWidth / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}
inline float largest_lane(F v) {
    float lanes[kWidth];
    store(lanes, v);
    for (int half = kWidth / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) {
            lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
        }
    }
    return lanes[0];
}

// e^x to about 1 ulp: 2^n * e^r with |r| <= ln(2)/2 and a polynomial (Cephes, expf). 0 below the
// normal numbers, so that a masked score of -inf gives nothing.
inline F exponential(F x) {
    const F magic = splat(12582912.0F);  // 1.5 * 2^23
    const F clamped = smallest(largest(x, splat(-87.3F)), splat(88.3F));
    const F n = (clamped * 1.44269504F + magic) - magic;
    F r = clamped - n * 0.693359375F;
    r = r + n * 2.12194440e-4F;
    F p = splat(1.9875691500e-4F);
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * (r * r) + r + 1.0F;
    const I exponent = (__builtin_convertvector(n, I) + 127) << 23;
    const F result = p * __builtin_bit_cast(F, exponent);
    return x < splat(-87.3F) ? F{} : result;
}

inline F sigmoid_of(F x) {
    return 1.0F / (1.0F + exponential(-x));
}

inline F tanh_of(F x) {
    // Odd, and exact to an ulp near zero by its series; elsewhere by the exponential.
    const F a = magnitude(x);
    const F t = 1.0F - 2.0F / (exponential(2.0F * a) + 1.0F);
    const F x2 = x * x;
    const F series =
        x + x * x2 * (-0.33333333F + x2 * (0.13333333F + x2 * (-0.053968254F + x2 * 0.021869488F)));
    const F signed_t = x < F{} ? -t : t;
    return a < splat(0.25F) ? series : signed_t;
}

// Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7.
inline F gelu_of(F x) {
    const F a = magnitude(x) * 0.70710678F;
    const F t = 1.0F / (1.0F + 0.3275911F * a);
    F p = splat(1.061405429F);
    p = p * t - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    const F tail = 0.5F * p * t * exponential(-a * a);  // half of 1 - erf(|x| / sqrt 2)
    return x * (x < F{} ? tail : 1.0F - tail);
}

inline F gelu_tanh_of(F x) {
    const F inner = 0.79788456F * (x + 0.044715F * x * x * x);
    return 0.5F * x * (1.0F + tanh_of(inner));
}

template <class Fn>
inline void map(float* y, const float* x, std::int64_t n, Fn fn) {
    std::int64_t i = 0;
    for (; i + kWidth <= n; i += kWidth) store(y + i, fn(load(x + i), i));
    if (i < n) store_some(y + i, fn(load_some(x + i, n - i, 0.0F), i), n - i);
}

// The sum of fn over the row; fn gets the offset of its vector and how many lanes count.
template <class Fn>
inline float reduce(std::int64_t n, Fn fn) {
    F sum{};
    std::int64_t i = 0;
    for (; i + kWidth <= n; i += kWidth) sum = sum + fn(i, kWidth);
    if (i < n) sum = sum + fn(i, n - i);
    return sum_lanes(sum);
}

inline F load_n(const float* p, std::int64_t n) {
    return n == kWidth ? load(p) : load_some(p, n, 0.0F);
}

void layer_norm(float* y, const float* x, const float* residual, const float* weight,
                const float* bias, std::int64_t n, float epsilon) {
    const auto value = [&](std::int64_t i, std::int64_t lanes) {
        const F v = load_n(x + i, lanes);
        return residual == nullptr ? v : v + load_n(residual + i, lanes);
    };
    const float count = static_cast<float>(n);
    const float mean = reduce(n, value) / count;
    const float variance = reduce(n,
                                  [&](std::int64_t i, std::int64_t lanes) {
                                      F d = value(i, lanes) - mean;
                                      for (std::int64_t l = lanes; l < kWidth; ++l)
                                          d[static_cast<int>(l)] = 0.0F;
                                      return d * d;
                                  }) /
                           count;
    const float inverse = 1.0F / __builtin_sqrtf(variance + epsilon);
    for (std::int64_t i = 0; i < n; i += kWidth) {
        const std::int64_t lanes = n - i < kWidth ? n - i : kWidth;
        F v = (value(i, lanes) - mean) * inverse * load_n(weight + i, lanes);
        if (bias != nullptr) v = v + load_n(bias + i, lanes);
        if (lanes == kWidth) {
            store(y + i, v);
        } else {
            store_some(y + i, v, lanes);
        }
    }
}

void add(float* y, const float* a, const float* b, std::int64_t n) {
    map(y, a, n,
        [&](F v, std::int64_t i) { return v + load_n(b + i, n - i < kWidth ? n - i : kWidth); });
}

void multiply(float* y, const float* a, const float* b, std::int64_t n) {
    map(y, a, n,
        [&](F v, std::int64_t i) { return v * load_n(b + i, n - i < kWidth ? n - i : kWidth); });
}

float squares(const float* x, std::int64_t n) {
    return reduce(n, [&](std::int64_t i, std::int64_t lanes) {
        const F v = load_n(x + i, lanes);
        return v * v;
    });
}

void rms_norm(float* y, const float* x, float* residual, const float* weight, std::int64_t n,
              float epsilon, float offset) {
    if (residual != nullptr) {
        add(residual, residual, x, n);
        x = residual;
    }
    const float mean = squares(x, n) / static_cast<float>(n);
    const float inverse = 1.0F / __builtin_sqrtf(mean + epsilon);
    map(y, x, n, [&](F v, std::int64_t i) {
        return v * inverse * (load_n(weight + i, n - i < kWidth ? n - i : kWidth) + offset);
    });
}

void gelu(float* y, const float* x, std::int64_t n) {
    map(y, x, n, [](F v, std::int64_t) { return gelu_of(v); });
}
void gelu_tanh(float* y, const float* x, std::int64_t n) {
    map(y, x, n, [](F v, std::int64_t) { return gelu_tanh_of(v); });
}
void silu(float* y, const float* x, std::int64_t n) {
    map(y, x, n, [](F v, std::int64_t) { return v * sigmoid_of(v); });
}
void tanh(float* y, const float* x, std::int64_t n) {
    map(y, x, n, [](F v, std::int64_t) { return tanh_of(v); });
}
void sigmoid(float* y, const float* x, std::int64_t n) {
    map(y, x, n, [](F v, std::int64_t) { return sigmoid_of(v); });
}
void scale(float* y, const float* x, float factor, std::int64_t n) {
    map(y, x, n, [factor](F v, std::int64_t) { return v * factor; });
}
void softcap(float* y, const float* x, float cap, std::int64_t n) {
    const float inverse = 1.0F / cap;
    map(y, x, n, [=](F v, std::int64_t) { return cap * tanh_of(v * inverse); });
}

void softmax(float* y, const float* x, std::int64_t n) {
    F top = splat(-__builtin_inff());
    for (std::int64_t i = 0; i < n; i += kWidth) {
        top = largest(top,
                      n - i >= kWidth ? load(x + i) : load_some(x + i, n - i, -__builtin_inff()));
    }
    const float max = largest_lane(top);
    map(y, x, n, [max](F v, std::int64_t) { return exponential(v - max); });
    const float inverse =
        1.0F / reduce(n, [&](std::int64_t i, std::int64_t lanes) { return load_n(y + i, lanes); });
    scale(y, y, inverse, n);
}

void rotate(float* a, float* b, const float* cosine, const float* sine, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i += kWidth) {
        const std::int64_t lanes = n - i < kWidth ? n - i : kWidth;
        const F c = load_n(cosine + i, lanes);
        const F s = load_n(sine + i, lanes);
        const F x = load_n(a + i, lanes);
        const F y = load_n(b + i, lanes);
        store_some(a + i, x * c - y * s, lanes);
        store_some(b + i, x * s + y * c, lanes);
    }
}

constexpr int kVectors = kTokenTile / kWidth;

// What comes between a product and its exponential, for one vector of tokens.
inline F adjusted(F s, const ScoreTile& tile, const ScoreRow& row, F tokens) {
    s = s * tile.scale;
    if (tile.softcap > 0.0F) s = tile.softcap * tanh_of(s * (1.0F / tile.softcap));
    if (row.slope != 0.0F) {
        F distance = row.position - tokens;
        if (tile.symmetric) distance = magnitude(distance);
        s = s - row.slope * distance;
    }
    const I seen = (tokens >= splat(static_cast<float>(row.visible_begin))) &
                   (tokens < splat(static_cast<float>(row.visible_end)));
    return seen ? s : splat(-__builtin_inff());
}

// Adjusts and masks a row's scores; returns the largest.
inline float adjust_row(const ScoreTile& tile, const ScoreRow& row, float* scores) {
    const bool plain = tile.softcap == 0.0F && row.slope == 0.0F &&
                       row.visible_begin <= tile.token &&
                       row.visible_end >= tile.token + kTokenTile;
    F tokens = splat(static_cast<float>(tile.token));
    for (int l = 0; l < kWidth; ++l) tokens[l] += static_cast<float>(l);
    F top = splat(-__builtin_inff());
    for (int v = 0; v < kVectors; ++v) {
        const F product = load(scores + v * kWidth);
        const F s = plain ? product * tile.scale
                          : adjusted(product, tile, row, tokens + static_cast<float>(v * kWidth));
        store(scores + v * kWidth, s);
        top = largest(top, s);
    }
    return largest_lane(top);
}

// Rows go through each stage together: a row's stages wait for each other, its neighbours do not.
void score_tile(const ScoreTile& tile) {
    alignas(64) float shrink[kTokenTile] = {};
    for (int r = 0; r < tile.count; ++r) {
        ScoreRow& row = tile.rows[r];
        const float max = adjust_row(tile, row, tile.scores + r * kTokenTile);
        shrink[r] = row.max;
        row.max = row.max > max ? row.max : max;
        // A row that has seen nothing yet has nothing to shrink, and all its scores are -inf.
        shrink[r] = row.max == -__builtin_inff() ? 0.0F : shrink[r] - row.max;
    }
    for (int v = 0; v < kVectors; ++v) {
        store(shrink + v * kWidth, exponential(load(shrink + v * kWidth)));
    }
    for (int r = 0; r < tile.count; ++r) {
        ScoreRow& row = tile.rows[r];
        row.factor = shrink[r];
        const float max = row.max == -__builtin_inff() ? 0.0F : row.max;
        float* scores = tile.scores + r * kTokenTile;
        float* sums = tile.sums + r * kTokenTile;
        for (int v = 0; v < kVectors; ++v) {
            const F p = exponential(load(scores + v * kWidth) - max);
            store(scores + v * kWidth, p);
            store(sums + v * kWidth, load(sums + v * kWidth) * row.factor + p);
        }
    }
}

constexpr VectorKernels kVectorTable{
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .gelu = gelu,
    .gelu_tanh = gelu_tanh,
    .silu = silu,
    .tanh = tanh,
    .sigmoid = sigmoid,
    .multiply = multiply,
    .add = add,
    .scale = scale,
    .softcap = softcap,
    .softmax = softmax,
    .rotate = rotate,
    .squares = squares,
    .score_tile = score_tile,
};

}  // namespace
}  // namespace heddle::compute::cpu
