// Choosing tokens: one block a row of logits. The likeliest token, or a draw from what top_k,
// top_p and min_p leave. Cuts are found digit by digit over the order of the floats' bits, masses
// are summed as integers: the same row gives the same token whatever the threads' order.
#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/launch.cuh"

namespace heddle::compute::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / 32;
constexpr int kDigits = 256;

using Mass = unsigned long long;
constexpr float kMassOfOne = 0x1.0p40F;  // 2^17 tokens of the full mass stay below 2^64

// Orders as the floats do.
__device__ std::uint32_t key_of(float value) {
    const std::uint32_t bits = __float_as_uint(value);
    return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

struct Best {
    float value;
    int token;
};

__device__ Best better(Best a, Best b) {
    if (a.value != b.value) return a.value > b.value ? a : b;
    return a.token < b.token ? a : b;
}

__device__ Best warp_best(Best mine) {
    for (int offset = 16; offset > 0; offset /= 2) {
        Best other;
        other.value = __shfl_xor_sync(0xffffffffU, mine.value, offset);
        other.token = __shfl_xor_sync(0xffffffffU, mine.token, offset);
        mine = better(mine, other);
    }
    return mine;
}

__device__ Best block_best(Best mine) {
    __shared__ float values[kWarps];
    __shared__ int tokens[kWarps];
    mine = warp_best(mine);
    const int warp = static_cast<int>(threadIdx.x) / 32;
    if (threadIdx.x % 32 == 0) {
        values[warp] = mine.value;
        tokens[warp] = mine.token;
    }
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x) % 32 % kWarps;
    return warp_best({values[lane], tokens[lane]});
}

__device__ Best likeliest(const float* logits, int tokens) {
    Best best{-INFINITY, 0x7fffffff};
    for (int i = static_cast<int>(threadIdx.x); i < tokens; i += kThreads) {
        const float value = logits[i];
        if (isfinite(value)) best = better(best, {value, i});
    }
    return block_best(best);
}

// One row on its way to a draw: tokens with key >= cut are still in.
struct Draw {
    const float* logits;
    int tokens;
    float highest, inverse_temperature;
    std::uint32_t cut = 1;  // 0 is what is not finite

    __device__ std::uint32_t key(int i) const {
        return isfinite(logits[i]) ? key_of(logits[i]) : 0;
    }
    __device__ Mass mass(int i) const {
        return static_cast<Mass>(__expf((logits[i] - highest) * inverse_temperature) * kMassOfOne);
    }
    // What a token adds to a sum: its mass, or one.
    __device__ Mass worth(int i, bool by_mass) const { return by_mass ? mass(i) : 1; }
};

__device__ Mass block_total(Mass mine) {
    __shared__ Mass of_warps[kWarps];
    for (int offset = 16; offset > 0; offset /= 2) {
        mine += __shfl_xor_sync(0xffffffffU, mine, offset);
    }
    __syncthreads();
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = mine;
    __syncthreads();
    Mass all = 0;
    for (int w = 0; w < kWarps; ++w) all += of_warps[w];
    return all;
}

__device__ Mass total(const Draw& draw, bool by_mass) {
    Mass mine = 0;
    for (int i = static_cast<int>(threadIdx.x); i < draw.tokens; i += kThreads) {
        if (draw.key(i) >= draw.cut) mine += draw.worth(i, by_mass);
    }
    return block_total(mine);
}

// Raises the cut to the highest one at which the tokens that are in are worth `wanted` or more.
__device__ void raise_cut(Draw& draw, Mass wanted, bool by_mass) {
    __shared__ Mass digits[kDigits];
    __shared__ std::uint32_t found;
    __shared__ Mass above;
    std::uint32_t prefix = 0;
    Mass over = 0;  // worth of the tokens above the prefix
    for (int shift = 24; shift >= 0; shift -= 8) {
        for (int d = static_cast<int>(threadIdx.x); d < kDigits; d += kThreads) digits[d] = 0;
        __syncthreads();
        const std::uint32_t mask = shift == 24 ? 0 : ~0U << (shift + 8);
        for (int i = static_cast<int>(threadIdx.x); i < draw.tokens; i += kThreads) {
            const std::uint32_t key = draw.key(i);
            if (key < draw.cut || (key & mask) != prefix) continue;
            atomicAdd(&digits[key >> shift & 255U], draw.worth(i, by_mass));
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            Mass sum = over;
            int d = kDigits - 1;
            while (d > 0 && sum + digits[d] < wanted) sum += digits[d--];
            found = static_cast<std::uint32_t>(d);
            above = sum;
        }
        __syncthreads();
        prefix |= found << shift;
        over = above;
        __syncthreads();
    }
    draw.cut = max(draw.cut, prefix);
}

// The first token, by id, at which the masses up to it exceed `target`.
__device__ int token_at(const Draw& draw, Mass target) {
    __shared__ Mass starts[kThreads];
    __shared__ int found;
    const int each = (draw.tokens + kThreads - 1) / kThreads;
    const int first = static_cast<int>(threadIdx.x) * each;
    const int last = min(first + each, draw.tokens);
    Mass mine = 0;
    for (int i = first; i < last; ++i) {
        if (draw.key(i) >= draw.cut) mine += draw.mass(i);
    }
    starts[threadIdx.x] = mine;
    if (threadIdx.x == 0) found = 0;
    __syncthreads();
    Mass before = 0;
    for (int t = 0; t < static_cast<int>(threadIdx.x); ++t) before += starts[t];
    if (before <= target && target < before + mine) {
        for (int i = first; i < last; ++i) {
            if (draw.key(i) < draw.cut) continue;
            before += draw.mass(i);
            if (target < before) {
                found = i;
                break;
            }
        }
    }
    __syncthreads();
    return found;
}

__device__ int drawn(const float* logits, int tokens, Best best, const ChoiceRow& row) {
    Draw draw{logits, tokens, best.value, 1.0F / row.temperature};
    if (row.top_k > 0 && row.top_k < tokens) {
        raise_cut(draw, static_cast<Mass>(row.top_k), false);
    }
    if (row.top_p < 1) {
        const Mass all = total(draw, true);
        const Mass wanted = static_cast<Mass>(static_cast<double>(row.top_p) * all);
        raise_cut(draw, max(wanted, Mass{1}), true);
    }
    if (row.min_p > 0) {
        const float least = best.value + logf(row.min_p) * row.temperature;
        draw.cut = max(draw.cut, min(key_of(least), key_of(best.value)));
    }
    const Mass all = total(draw, true);
    const Mass target = static_cast<Mass>(static_cast<double>(row.chance) * all);
    return token_at(draw, min(target, all - 1));
}

__global__ void __launch_bounds__(kThreads)
    choice_kernel(std::int32_t* chosen, std::int32_t* kept, const float* all_logits,
                  const ChoiceRow* rows, int vocabulary, int tokens) {
    wait_for_inputs();
    let_next_begin();
    const ChoiceRow row = rows[blockIdx.x];
    const float* logits = all_logits + static_cast<std::int64_t>(blockIdx.x) * vocabulary;
    const Best best = likeliest(logits, tokens);
    int token = best.token < tokens ? best.token : -1;
    if (token >= 0 && row.temperature > 0) token = drawn(logits, tokens, best, row);
    if (threadIdx.x != 0) return;
    chosen[blockIdx.x] = token;
    if (row.slot >= 0) kept[row.slot] = token;
}

}  // namespace

void choose_tokens(std::int32_t* chosen, std::int32_t* kept, const float* logits,
                   const ChoiceRow* rows, int count, int vocabulary, int tokens,
                   cudaStream_t stream) {
    launch(choice_kernel, count, kThreads, 0, stream, chosen, kept, logits, rows, vocabulary,
           tokens);
}

}  // namespace heddle::compute::cuda
