// The module's own kernels, as functions of the host that enqueue one launch each. All matrices
// are row-major bf16 in device memory unless said otherwise, pointers aligned to 16 bytes; vectors
// of weights are fp32. Nothing is checked here: the decoder makes the shapes.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "compute/cuda/device_api.h"

namespace heddle::compute::cuda {

using bf16 = __nv_bfloat16;

// Y [rows, dim] = scale * table[token]; a token below 0 is kept[-1 - token].
void embed(bf16* y, const bf16* table, const std::int32_t* tokens, const std::int32_t* kept,
           int rows, int dim, float scale, cudaStream_t stream);

// The sum of the residual stream and the norm after it: residual += update, y = norm(residual).
struct NormCall {
    bf16* y = nullptr;
    bf16* residual = nullptr;            // read, and written where there is an update
    const bf16* update = nullptr;        // null: the norm alone
    const std::int32_t* rows = nullptr;  // y[i] comes from rows[i]; the residual stays then
    const float* weight = nullptr;
    int count = 0;
    int dim = 0;  // a multiple of 8, at most 16,384
    float epsilon = 0;
};
void add_norm(const NormCall& call, cudaStream_t stream);

// What follows the projection of queries, keys and values: biases, norms of single heads,
// rotation; queries stay in place, keys and values go to their slots in the cache.
struct RopeCall {
    bf16* qkv = nullptr;  // [rows, (heads + 2 kv_heads) head_dim]
    const float* bias = nullptr;
    const float* query_norm = nullptr;
    const float* key_norm = nullptr;
    const float2* turns = nullptr;  // [positions, rotary_dim / 2], cosine and sine
    const std::int32_t* positions = nullptr;
    const std::int32_t* slots = nullptr;  // block * block_tokens + offset; negative: keep nothing
    bf16* keys = nullptr;                 // [blocks, kv_heads, block_tokens, head_dim]
    bf16* values = nullptr;
    int rows = 0, heads = 0, kv_heads = 0, head_dim = 0, rotary_dim = 0, block_tokens = 0;
    bool pairs = false;
    float epsilon = 0;
};
void rope_and_keep(const RopeCall& call, cudaStream_t stream);

// turns[position, i] = factor * (cos, sin)(position * frequencies[i]).
void fill_turns(float2* turns, const float* frequencies, int positions, int half, float factor,
                cudaStream_t stream);

// Attention to the cache. Queries lie in rows of `query_stride` elements, heads side by side.
struct AttentionCall {
    bf16* out = nullptr;  // [rows, heads, head_dim]
    const bf16* queries = nullptr;
    const bf16* keys = nullptr;  // as in RopeCall
    const bf16* values = nullptr;
    const std::int32_t* query_starts = nullptr;  // [sequences + 1]
    const std::int32_t* contexts = nullptr;      // [sequences]
    const std::int32_t* tables = nullptr;        // [sequences, *table_width]
    const std::int32_t* table_width = nullptr;   // on the device, as it may differ between replays
    int heads = 0, kv_heads = 0, head_dim = 0, query_stride = 0, block_tokens = 0;
    int window = 0;
    float scale = 1, softcap = 0;
};
// Partial results of decode attention, for `count` sequences in `splits` parts each.
struct SplitSpace {
    float* partials = nullptr;         // [count, heads, splits, head_dim + 2]
    std::int32_t* arrivals = nullptr;  // [count, kv_heads], zero before the first call
};
// One row each of the sequences `list` [count]; heads / kv_heads is at most 16. A sequence with
// no context is skipped. Where `rope` is given, rope_and_keep() of these rows is done on the way;
// its positions and slots are not read.
void attend_decode(const AttentionCall& call, const std::int32_t* list, int count, int splits,
                   const SplitSpace& space, const RopeCall* rope, cudaStream_t stream);
// Several rows of each sequence: `tiles` are pairs of (sequence, first row within it), each
// standing for prefill_tile_tokens() rows or what is left of the sequence.
void attend_prefill(const AttentionCall& call, const std::int32_t* tiles, int count,
                    cudaStream_t stream);
[[nodiscard]] int prefill_tile_tokens(int heads, int kv_heads);
// Once for each device, before the first call.
void prepare_attention();

// Rows of `both` hold gate and up in turns of eight elements: y = f(gate) * up.
void gated_activate(bf16* y, const bf16* both, int rows, int dim, int activation,
                    cudaStream_t stream);

// Y [m, n] = X [m, k] W^T for m <= kSkinnyRowsMax, W [n, k]: reads W once at memory speed.
inline constexpr int kSkinnyRowsMax = 8;
enum class SkinnyEnd {
    kStore,       // y bf16
    kAdd,         // y += , bf16
    kActivate,    // rows of W come eight of gate, eight of up; y [m, n / 2]
    kStoreFloat,  // y fp32
};
struct SkinnyCall {
    void* y = nullptr;
    const bf16* x = nullptr;
    const bf16* weight = nullptr;
    int m = 0, n = 0, k = 0;  // n a multiple of 16, k of 64
    SkinnyEnd end = SkinnyEnd::kStore;
    int activation = 0;
    // Where given, X is normed on the way in: x / rms(x) * norm.
    const float* norm = nullptr;
    float epsilon = 0;
};
[[nodiscard]] bool skinny_fits(int m, int n, int k);
// Whether X may also be normed on the way in.
[[nodiscard]] bool skinny_norm_fits(int m, int k);
void skinny_product(const SkinnyCall& call, cudaStream_t stream);
void prepare_skinny();

// The choice of one of the first `tokens` of each row of logits [count, vocabulary] fp32;
// engine/sampler.cpp is the definition, in double precision and with ties of top_k broken by id.
struct ChoiceRow {
    std::int32_t slot;  // negative: nothing is kept
    std::int32_t top_k;
    float temperature, top_p, min_p;
    float chance;
};
void choose_tokens(std::int32_t* chosen, std::int32_t* kept, const float* logits,
                   const ChoiceRow* rows, int count, int vocabulary, int tokens,
                   cudaStream_t stream);
// x = cap * tanh(x / cap).
void softcap_logits(float* x, std::int64_t count, float cap, cudaStream_t stream);

// Normal deviates, for benchmarks.
void fill_normal(bf16* to, std::int64_t count, std::uint64_t seed, float deviation,
                 cudaStream_t stream);
void fill_constant(float* to, std::int64_t count, float value, cudaStream_t stream);

}  // namespace heddle::compute::cuda
