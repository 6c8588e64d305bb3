// Norms, activations and softmax over single rows, and the softmax between the two products of
// attention. One table per vector width, all from one source (vector_kernels_impl.h).
#pragma once

#include <cstdint>

#include "compute/cpu/isa.h"

namespace heddle::compute::cpu {

inline constexpr int kTokenTile = 16;

// A query row during attention: what it sees, and its running softmax.
struct ScoreRow {
    std::int32_t visible_begin;  // tokens of the sequence
    std::int32_t visible_end;
    float position;
    float slope;   // ALiBi, 0 for none
    float max;     // -inf at first
    float factor;  // out: what was summed so far must shrink by
};

// The scores of a few query rows and the tokens from `token` on, on their way to probabilities.
struct ScoreTile {
    float* scores;  // [rows][kTokenTile], products in, probabilities out
    ScoreRow* rows;
    float* sums;  // [rows][kTokenTile], running, by lanes
    int count;    // rows, at most kTokenTile
    std::int32_t token;
    float scale;
    float softcap;   // 0 for none
    bool symmetric;  // ALiBi by |distance|
};

struct VectorKernels {
    // Pointers to rows of n floats; residual and bias may be null. y may be x (or residual).
    void (*layer_norm)(float* y, const float* x, const float* residual, const float* weight,
                       const float* bias, std::int64_t n, float epsilon);
    // residual += x first where given; offset is added to the weight.
    void (*rms_norm)(float* y, const float* x, float* residual, const float* weight, std::int64_t n,
                     float epsilon, float offset);
    void (*gelu)(float* y, const float* x, std::int64_t n);
    void (*gelu_tanh)(float* y, const float* x, std::int64_t n);
    void (*silu)(float* y, const float* x, std::int64_t n);
    void (*tanh)(float* y, const float* x, std::int64_t n);
    void (*sigmoid)(float* y, const float* x, std::int64_t n);
    void (*multiply)(float* y, const float* a, const float* b, std::int64_t n);
    void (*add)(float* y, const float* a, const float* b, std::int64_t n);
    void (*scale)(float* y, const float* x, float factor, std::int64_t n);
    void (*softcap)(float* y, const float* x, float cap, std::int64_t n);
    void (*softmax)(float* y, const float* x, std::int64_t n);
    // Pairs (a[i], b[i]) turned by angles of which cosine and sine are given.
    void (*rotate)(float* a, float* b, const float* cosine, const float* sine, std::int64_t n);
    float (*squares)(const float* x, std::int64_t n);
    // One step of the online softmax (Milakov and Gimelshein, 2018).
    void (*score_tile)(const ScoreTile& tile);
};

[[nodiscard]] const VectorKernels& portable_vector_kernels();
[[nodiscard]] const VectorKernels& avx2_vector_kernels();
[[nodiscard]] const VectorKernels& avx512_vector_kernels();
[[nodiscard]] const VectorKernels& vector_kernels_for(IsaLevel level);

}  // namespace heddle::compute::cpu
