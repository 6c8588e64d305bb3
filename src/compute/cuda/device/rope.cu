// Between the projection and the attention: biases, norms of single heads, rotary positions, and
// the way of keys and values into the cache. A block takes eight heads of one row through shared
// memory, so that global memory is read and written 16 bytes at a time whatever pairs up.
#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/launch.cuh"

namespace heddle::compute::cuda {
namespace {

constexpr int kHeadsOfBlock = 8;
constexpr int kThreads = 128;

// One element of a head after the rotation by its position.
// `element(i)` gives the head's elements before it; `turns` are those of the position.
template <class Element>
__device__ float rotated(const RopeCall& c, const float2* turns, int i, const Element& element) {
    const float own = element(i);
    if (i >= c.rotary_dim) return own;
    const int half = c.rotary_dim / 2;
    const int pair = c.pairs ? i / 2 : i % half;
    const bool second = c.pairs ? i % 2 == 1 : i >= half;
    const int partner = c.pairs ? i ^ 1 : (second ? i - half : i + half);
    const float2 turn = turns[pair];
    return second ? own * turn.x + element(partner) * turn.y
                  : own * turn.x - element(partner) * turn.y;
}

// The warp's lanes norm one head of `dim` elements in shared memory.
__device__ void norm_head(float* head, const float* weight, int dim, float epsilon) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    float sum = 0;
    for (int i = lane; i < dim; i += 32) sum += head[i] * head[i];
    const float factor = rsqrtf(warp_sum(sum) / static_cast<float>(dim) + epsilon);
    for (int i = lane; i < dim; i += 32) head[i] *= factor * weight[i];
}

__global__ void rope_kernel(RopeCall c) {
    extern __shared__ float shared[];
    wait_for_inputs();
    let_next_begin();
    const int dim = c.head_dim;
    const int all = c.heads + 2 * c.kv_heads;
    const int first = static_cast<int>(blockIdx.y) * kHeadsOfBlock;
    const int count = min(kHeadsOfBlock, all - first);
    const std::int64_t row = blockIdx.x;
    bf16* x = c.qkv + (row * all + first) * dim;
    const int vectors = count * dim / 8;
    for (int v = static_cast<int>(threadIdx.x); v < vectors; v += kThreads) {
        const Eight value = load_eight(x + v * 8);
        for (int i = 0; i < 8; ++i) {
            float element = __bfloat162float(value.one[i]);
            // Rounded as the projection with its bias would be.
            if (c.bias != nullptr) {
                element =
                    __bfloat162float(__float2bfloat16(element + c.bias[first * dim + v * 8 + i]));
            }
            shared[v * 8 + i] = element;
        }
    }
    __syncthreads();
    if (c.query_norm != nullptr) {
        for (int h = static_cast<int>(threadIdx.x) / 32; h < count; h += kThreads / 32) {
            const int head = first + h;
            if (head >= c.heads + c.kv_heads) break;
            norm_head(shared + h * dim, head < c.heads ? c.query_norm : c.key_norm, dim, c.epsilon);
        }
        __syncthreads();
    }
    const std::int64_t slot = c.slots[row];
    const std::int64_t block = slot / c.block_tokens;
    const std::int64_t offset = slot % c.block_tokens;
    const float2* turns =
        c.turns + static_cast<std::int64_t>(c.positions[row]) * (c.rotary_dim / 2);
    for (int v = static_cast<int>(threadIdx.x); v < vectors; v += kThreads) {
        const int h = v * 8 / dim;
        const int at = v * 8 % dim;
        const int head = first + h;
        Eight out;
        if (head < c.heads + c.kv_heads) {
            const float* elements = shared + h * dim;
            for (int i = 0; i < 8; ++i) {
                out.one[i] = __float2bfloat16(
                    rotated(c, turns, at + i, [elements](int e) { return elements[e]; }));
            }
        } else {
            for (int i = 0; i < 8; ++i) out.one[i] = __float2bfloat16(shared[v * 8 + i]);
        }
        if (head < c.heads) {
            store_eight(x + v * 8, out);
        } else if (slot >= 0) {
            const bool is_key = head < c.heads + c.kv_heads;
            const int kv_head = head - c.heads - (is_key ? 0 : c.kv_heads);
            bf16* cache = is_key ? c.keys : c.values;
            store_eight(
                cache + ((block * c.kv_heads + kv_head) * c.block_tokens + offset) * dim + at, out);
        }
    }
}

__global__ void turns_kernel(float2* turns, const float* frequencies, int positions, int half,
                             float factor) {
    wait_for_inputs();
    const std::int64_t count = static_cast<std::int64_t>(positions) * half;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        // The product in fp32, as transformers forms it; its sine exactly.
        const float angle = static_cast<float>(i / half) * frequencies[i % half];
        double sine = 0;
        double cosine = 0;
        sincos(static_cast<double>(angle), &sine, &cosine);
        turns[i] =
            make_float2(static_cast<float>(cosine) * factor, static_cast<float>(sine) * factor);
    }
}

}  // namespace

void rope_and_keep(const RopeCall& call, cudaStream_t stream) {
    const int all = call.heads + 2 * call.kv_heads;
    const dim3 grid(call.rows, (all + kHeadsOfBlock - 1) / kHeadsOfBlock);
    launch(rope_kernel, grid, kThreads, sizeof(float) * kHeadsOfBlock * call.head_dim, stream,
           call);
}

void fill_turns(float2* turns, const float* frequencies, int positions, int half, float factor,
                cudaStream_t stream) {
    launch_after_copies(turns_kernel, 528, 256, 0, stream, turns, frequencies, positions, half,
                        factor);
}

}  // namespace heddle::compute::cuda
