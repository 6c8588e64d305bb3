// Kernels that go through rows once: embeddings, norms, gated activations, and what fills weights.
#include "compute/cuda/device/activation.cuh"
#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/launch.cuh"

namespace heddle::compute::cuda {
namespace {

constexpr int kVectorsMax = 4;  // of eight elements that a thread of add_norm holds

__global__ void embed_kernel(bf16* y, const bf16* table, const std::int32_t* tokens,
                             const std::int32_t* kept, int dim, float scale) {
    wait_for_inputs();
    let_next_begin();
    std::int32_t token = tokens[blockIdx.x];
    if (token < 0) token = kept[-1 - token];
    // A slot that kept nothing: the step's result is an error, but no address may be wrong.
    if (token < 0) token = 0;
    const bf16* from = table + static_cast<std::int64_t>(token) * dim;
    bf16* to = y + static_cast<std::int64_t>(blockIdx.x) * dim;
    for (int i = static_cast<int>(threadIdx.x) * 8; i < dim;
         i += static_cast<int>(blockDim.x) * 8) {
        Eight value = load_eight(from + i);
        if (scale != 1.0F) {
            for (bf16& x : value.one) x = __float2bfloat16(__bfloat162float(x) * scale);
        }
        store_eight(to + i, value);
    }
}

// The sum over a block of at most 1,024 threads, in all of them.
__device__ float block_sum(float value) {
    __shared__ float of_warps[32];
    const unsigned lane = threadIdx.x % 32;
    value = warp_sum(value);
    if (lane == 0) of_warps[threadIdx.x / 32] = value;
    __syncthreads();
    return warp_sum(lane < blockDim.x / 32 ? of_warps[lane] : 0.0F);
}

__global__ void add_norm_kernel(NormCall c) {
    wait_for_inputs();
    let_next_begin();
    const std::int64_t from = c.rows != nullptr ? c.rows[blockIdx.x] : blockIdx.x;
    bf16* residual = c.residual + from * c.dim;
    const bf16* update = c.update != nullptr ? c.update + from * c.dim : nullptr;
    Eight held[kVectorsMax];
    float sum = 0;
#pragma unroll
    for (int v = 0; v < kVectorsMax; ++v) {
        const int at = static_cast<int>(threadIdx.x + v * blockDim.x) * 8;
        if (at >= c.dim) break;
        held[v] = load_eight(residual + at);
        if (update != nullptr) {
            const Eight more = load_eight(update + at);
            for (int i = 0; i < 8; ++i) {
                held[v].one[i] = __float2bfloat16(__bfloat162float(held[v].one[i]) +
                                                  __bfloat162float(more.one[i]));
            }
            if (c.rows == nullptr) store_eight(residual + at, held[v]);
        }
        for (const bf16 x : held[v].one) sum += __bfloat162float(x) * __bfloat162float(x);
    }
    const float factor = rsqrtf(block_sum(sum) / static_cast<float>(c.dim) + c.epsilon);
    bf16* y = c.y + static_cast<std::int64_t>(blockIdx.x) * c.dim;
#pragma unroll
    for (int v = 0; v < kVectorsMax; ++v) {
        const int at = static_cast<int>(threadIdx.x + v * blockDim.x) * 8;
        if (at >= c.dim) break;
        const float4 low = *reinterpret_cast<const float4*>(c.weight + at);
        const float4 high = *reinterpret_cast<const float4*>(c.weight + at + 4);
        const float weight[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
        for (int i = 0; i < 8; ++i) {
            held[v].one[i] =
                __float2bfloat16(__bfloat162float(held[v].one[i]) * factor * weight[i]);
        }
        store_eight(y + at, held[v]);
    }
}

__global__ void gated_kernel(bf16* y, const bf16* both, int dim, int activation) {
    wait_for_inputs();
    let_next_begin();
    const int vector = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
    if (vector * 8 >= dim) return;
    const std::int64_t row = blockIdx.x;
    const Eight gate = load_eight(both + row * 2 * dim + vector * 16);
    const Eight up = load_eight(both + row * 2 * dim + vector * 16 + 8);
    Eight out;
    for (int i = 0; i < 8; ++i) {
        out.one[i] = __float2bfloat16(activate(__bfloat162float(gate.one[i]), activation) *
                                      __bfloat162float(up.one[i]));
    }
    store_eight(y + row * dim + vector * 8, out);
}

__global__ void softcap_kernel(float* x, std::int64_t count, float cap) {
    wait_for_inputs();
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        x[i] = cap * tanhf(x[i] / cap);
    }
}

__device__ std::uint64_t scramble(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

__global__ void normal_kernel(bf16* to, std::int64_t count, std::uint64_t seed, float deviation) {
    wait_for_inputs();
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        const std::uint64_t bits = scramble(seed ^ scramble(static_cast<std::uint64_t>(i)));
        const float u = (static_cast<float>(bits >> 40) + 0.5F) * 0x1.0p-24F;
        const float v = static_cast<float>((bits >> 8) & 0xffffffU) * 0x1.0p-24F;
        to[i] = __float2bfloat16(deviation * sqrtf(-2.0F * logf(u)) * cospif(2.0F * v));
    }
}

__global__ void constant_kernel(float* to, std::int64_t count, float value) {
    wait_for_inputs();
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        to[i] = value;
    }
}

}  // namespace

void embed(bf16* y, const bf16* table, const std::int32_t* tokens, const std::int32_t* kept,
           int rows, int dim, float scale, cudaStream_t stream) {
    launch_after_copies(embed_kernel, rows, 256, 0, stream, y, table, tokens, kept, dim, scale);
}

void add_norm(const NormCall& call, cudaStream_t stream) {
    int threads = 128;
    while (threads * 8 * 2 < call.dim && threads < 512) threads *= 2;
    launch(add_norm_kernel, call.count, threads, 0, stream, call);
}

void gated_activate(bf16* y, const bf16* both, int rows, int dim, int activation,
                    cudaStream_t stream) {
    constexpr int kThreads = 128;
    const dim3 grid(rows, (dim / 8 + kThreads - 1) / kThreads);
    launch(gated_kernel, grid, kThreads, 0, stream, y, both, dim, activation);
}

void softcap_logits(float* x, std::int64_t count, float cap, cudaStream_t stream) {
    launch(softcap_kernel, 264, 512, 0, stream, x, count, cap);
}

void fill_normal(bf16* to, std::int64_t count, std::uint64_t seed, float deviation,
                 cudaStream_t stream) {
    launch_after_copies(normal_kernel, 1056, 256, 0, stream, to, count, seed, deviation);
}

void fill_constant(float* to, std::int64_t count, float value, cudaStream_t stream) {
    launch_after_copies(constant_kernel, 64, 256, 0, stream, to, count, value);
}

}  // namespace heddle::compute::cuda
