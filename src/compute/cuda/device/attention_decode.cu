// Attention of sequences that decode: one query row each, the queries that share a head of the
// cache together in the 16 rows of a tensor-core tile. A block streams a part of one sequence's
// keys and values (Flash-Decoding: Dao et al., 2023), its four warps taking 16 keys of each
// tile; the block that finishes a head last adds up the parts.
#include <algorithm>

#include "compute/cuda/device/attention_tile.cuh"

namespace heddle::compute::cuda {
namespace {

constexpr int kWarps = kAttentionThreads / 32;
constexpr int kStages = 2;
constexpr int kHeadsMax = 16;
constexpr int kSplitsMax = 32;  // a warp's lanes

struct DecodeCall {
    AttentionCall a;
    const std::int32_t* list;
    int splits;
    int block_shift;
    SplitSpace space;
    RopeCall rope;
    bool rotate;  // queries, the new key and value come straight from the projection
};

// What one block works on.
struct Part {
    int entry, sequence, kv_head, group, row;
    int end;           // keys of the sequence
    int first, tiles;  // of this part: its first key and its tiles
    int window_start;  // keys before are not seen
    int parts;         // of this sequence that have work
};

__device__ Part find_part(const DecodeCall& c) {
    Part p;
    p.entry = static_cast<int>(blockIdx.z);
    p.sequence = c.list[p.entry];
    p.kv_head = static_cast<int>(blockIdx.y);
    p.group = c.a.heads / c.a.kv_heads;
    p.row = c.a.query_starts[p.sequence];
    p.end = c.a.contexts[p.sequence];
    p.window_start = c.a.window > 0 ? max(0, p.end - c.a.window) : 0;
    const int origin = p.window_start / kTileKeys * kTileKeys;
    const int tiles = (p.end - origin + kTileKeys - 1) / kTileKeys;
    const int of_part = max(1, (tiles + c.splits - 1) / c.splits);
    p.parts = (tiles + of_part - 1) / of_part;
    const int before = static_cast<int>(blockIdx.x) * of_part;
    p.first = origin + before * kTileKeys;
    p.tiles = min(of_part, tiles - before);
    return p;
}

// What is new in a step, ready for the tensor cores: the queries of a group, then in the block
// that has the last position its key and its value.
template <int kDim>
struct alignas(16) Fresh {
    static constexpr int kStride = kDim + 8;
    bf16 heads[(kHeadsMax + 2) * kStride];
    float factors[kHeadsMax + 2];

    __device__ const bf16* key(int group) const { return heads + group * kStride; }
    __device__ const bf16* value(int group) const { return heads + (group + 1) * kStride; }
};

// The head of the projection that stands at place `h`.
__device__ int head_at(const DecodeCall& c, const Part& p, int h) {
    if (h < p.group) return p.kv_head * p.group + h;
    return c.a.heads + p.kv_head + (h == p.group ? 0 : c.a.kv_heads);
}

// As they come from the projection, with their biases.
template <int kDim>
__device__ void bring_raw(Fresh<kDim>& fresh, const DecodeCall& c, const Part& p, int heads) {
    const bf16* row = c.a.queries + static_cast<std::int64_t>(p.row) * c.a.query_stride;
    for (int i = static_cast<int>(threadIdx.x); i < heads * kDim / 8; i += kAttentionThreads) {
        const int h = i / (kDim / 8);
        const int at = i % (kDim / 8) * 8;
        const int from = head_at(c, p, h) * kDim + at;
        Eight value = load_eight(row + from);
        if (c.rope.bias != nullptr) {
            for (int e = 0; e < 8; ++e) {
                value.one[e] =
                    __float2bfloat16(__bfloat162float(value.one[e]) + c.rope.bias[from + e]);
            }
        }
        store_eight(fresh.heads + h * Fresh<kDim>::kStride + at, value);
    }
    __syncthreads();
}

// What the norm of each head but the value multiplies by, its weights apart.
template <int kDim>
__device__ void norm_factors(Fresh<kDim>& fresh, const DecodeCall& c, int heads) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int h = static_cast<int>(threadIdx.x) / 32; h < heads; h += kWarps) {
        const bf16* head = fresh.heads + h * Fresh<kDim>::kStride;
        float sum = 0;
        for (int i = lane; i < kDim; i += 32) {
            sum += __bfloat162float(head[i]) * __bfloat162float(head[i]);
        }
        sum = warp_sum(sum);
        if (lane == 0) fresh.factors[h] = rsqrtf(sum / kDim + c.rope.epsilon);
    }
    __syncthreads();
}

// A thread turns both elements of a pair, so that the rotation is in place.
template <int kDim>
__device__ void turn(Fresh<kDim>& fresh, const DecodeCall& c, const Part& p, int heads) {
    const int half = c.rope.rotary_dim / 2;
    const bool normed = c.rope.query_norm != nullptr;
    const float2* turns = c.rope.turns + static_cast<std::int64_t>(p.end - 1) * half;
    for (int i = static_cast<int>(threadIdx.x); i < heads * kDim / 2; i += kAttentionThreads) {
        const int h = i / (kDim / 2);
        const int pair = i % (kDim / 2);
        // Elements beyond the rotated ones go in pairs too, as they are.
        const bool turned = pair < half;
        const int low = turned ? (c.rope.pairs ? 2 * pair : pair) : 2 * pair;
        const int high = turned ? (c.rope.pairs ? 2 * pair + 1 : pair + half) : 2 * pair + 1;
        bf16* head = fresh.heads + h * Fresh<kDim>::kStride;
        float a = __bfloat162float(head[low]);
        float b = __bfloat162float(head[high]);
        if (normed) {
            const float* weight = h < p.group ? c.rope.query_norm : c.rope.key_norm;
            a *= fresh.factors[h] * weight[low];
            b *= fresh.factors[h] * weight[high];
        }
        const float2 by = turned ? turns[pair] : make_float2(1, 0);
        head[low] = __float2bfloat16(a * by.x - b * by.y);
        head[high] = __float2bfloat16(b * by.x + a * by.y);
    }
    __syncthreads();
}

// The new key and value go into the cache.
template <int kDim>
__device__ void keep(const Fresh<kDim>& fresh, const DecodeCall& c, const Part& p) {
    if (threadIdx.x >= 2 * kDim / 8) return;
    const int position = p.end - 1;
    const std::int32_t block = c.a.tables[static_cast<std::int64_t>(p.sequence) * *c.a.table_width +
                                          (position >> c.block_shift)];
    const int offset = position & ((1 << c.block_shift) - 1);
    const bool is_key = threadIdx.x < kDim / 8;
    const int at = static_cast<int>(threadIdx.x) % (kDim / 8) * 8;
    bf16* cache = is_key ? c.rope.keys : c.rope.values;
    const std::int64_t row =
        ((static_cast<std::int64_t>(block) * c.a.kv_heads + p.kv_head) << c.block_shift) + offset;
    const bf16* from = is_key ? fresh.key(p.group) : fresh.value(p.group);
    store_eight(cache + row * kDim + at, load_eight(from + at));
}

template <int kDim>
__device__ void bring(Fresh<kDim>& fresh, const DecodeCall& c, const Part& p, bool has_last) {
    const int heads = p.group + (has_last ? 2 : 0);
    const int turned = p.group + (has_last ? 1 : 0);
    bring_raw(fresh, c, p, heads);
    if (c.rope.query_norm != nullptr) norm_factors(fresh, c, turned);
    turn(fresh, c, p, turned);
    if (has_last) keep(fresh, c, p);
}

// The new key and value take their place in a stage.
template <int kDim>
__device__ void place_last(const Fresh<kDim>& fresh, int group, bf16* stage, int row) {
    if (threadIdx.x >= 2 * kDim / 8) return;
    const bool is_key = threadIdx.x < kDim / 8;
    const int at = static_cast<int>(threadIdx.x) % (kDim / 8) * 8;
    store_eight(
        stage + (is_key ? 0 : TileLayout<kDim>::kElements) + row * TileLayout<kDim>::kStride + at,
        load_eight((is_key ? fresh.key(group) : fresh.value(group)) + at));
}

// The fragments of up to 16 queries; those beyond the group are zero.
template <int kDim>
__device__ void load_queries(std::uint32_t (&q)[kDim / 16][4], const bf16* queries, int stride,
                             int group) {
    const int g = static_cast<int>(threadIdx.x % 32) / 4;
    const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
    for (int d = 0; d < kDim / 16; ++d) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int head = g + (i % 2) * 8;
            const bf16* from = queries + head * stride + 2 * t + d * 16 + (i / 2) * 8;
            q[d][i] = head < group ? *reinterpret_cast<const std::uint32_t*>(from) : 0U;
        }
    }
}

template <int kDim>
__device__ void stream_part(Running<kDim>& state, const DecodeCall& c, const Part& p,
                            bf16* shared) {
    __shared__ Fresh<kDim> fresh;
    const std::uint32_t stages = shared_address(shared);
    const TileReader<kDim> reader{
        c.a.keys,
        c.a.values,
        c.a.tables + static_cast<std::int64_t>(p.sequence) * *c.a.table_width,
        p.kv_head,
        c.a.kv_heads,
        c.block_shift};
    const bool has_last = c.rotate && p.first + p.tiles * kTileKeys >= p.end;
    const int without = has_last ? p.end - 1 : -1;
    std::uint32_t q[kDim / 16][4];
    reader.fetch(stages, p.first, p.end, without);
    commit_copies();
    if (c.rotate) {
        bring(fresh, c, p, has_last);
        load_queries<kDim>(q, fresh.heads, Fresh<kDim>::kStride, p.group);
    } else {
        load_queries<kDim>(q,
                           c.a.queries + static_cast<std::int64_t>(p.row) * c.a.query_stride +
                               p.kv_head * p.group * kDim,
                           kDim, p.group);
    }
    const int key = static_cast<int>(threadIdx.x / 32) * 16;
    const int t = static_cast<int>(threadIdx.x) % 4;
    for (int tile = 0; tile < p.tiles; ++tile) {
        if (tile + 1 < p.tiles) {
            reader.fetch(stages + ((tile + 1) % kStages) * TileLayout<kDim>::kStageBytes,
                         p.first + (tile + 1) * kTileKeys, p.end, without);
        }
        commit_copies();
        if (has_last && tile + 1 == p.tiles) {
            place_last(fresh, p.group,
                       shared + (tile % kStages) * TileLayout<kDim>::kStageBytes / 2,
                       (p.end - 1) % kTileKeys);
        }
        wait_copies<1>();
        __syncthreads();
        const std::uint32_t stage = stages + (tile % kStages) * TileLayout<kDim>::kStageBytes;
        float scores[1][2][4] = {};
        Running<kDim>::score(scores[0], q, stage, key);
#pragma unroll
        for (int j = 0; j < 2; ++j) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const int position = p.first + tile * kTileKeys + key + j * 8 + 2 * t + i % 2;
                const bool seen = position < p.end && position >= p.window_start;
                scores[0][j][i] =
                    seen ? scaled(scores[0][j][i], c.a.scale, c.a.softcap) : -INFINITY;
            }
        }
        state.soften(scores);
        std::uint32_t probabilities[4];
        pack_probabilities(probabilities, scores[0]);
        state.take(probabilities, stage, key);
        __syncthreads();
    }
    wait_copies<0>();
    state.finish_sums();
}

// Adds up the four warps. Thread i then has the elements i, i + 128, … of [group, kDim] in
// order, and `high` and `sum` of all heads stand in shared memory.
template <int kDim>
struct Merged {
    float* out;   // [kWarps][16][kDim]
    float* high;  // [kWarps][16], then [16]
    float* sum;

    __device__ explicit Merged(float* shared)
        : out(shared), high(shared + kWarps * 16 * kDim), sum(high + (kWarps + 1) * 16) {}

    __device__ void gather(const Running<kDim>& state) {
        const int warp = static_cast<int>(threadIdx.x / 32);
        const int g = static_cast<int>(threadIdx.x % 32) / 4;
        const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = g + half * 8;
            if (t == 0) {
                high[warp * 16 + row] = state.highest[half];
                sum[warp * 16 + row] = state.sum[half];
            }
#pragma unroll
            for (int d = 0; d < kDim / 8; ++d) {
                float* to = out + (warp * 16 + row) * kDim + d * 8 + 2 * t;
                to[0] = state.out[d][2 * half];
                to[1] = state.out[d][2 * half + 1];
            }
        }
        __syncthreads();
        if (threadIdx.x < 16) {
            const int row = static_cast<int>(threadIdx.x);
            float highest = -INFINITY;
            for (int w = 0; w < kWarps; ++w) highest = fmaxf(highest, high[w * 16 + row]);
            const float base = highest == -INFINITY ? 0.0F : highest;
            float total = 0;
            for (int w = 0; w < kWarps; ++w) {
                // From here on high holds each warp's factor.
                const float factor = exp2f(high[w * 16 + row] - base);
                total += sum[w * 16 + row] * factor;
                high[w * 16 + row] = factor;
            }
            high[kWarps * 16 + row] = highest;
            sum[kWarps * 16 + row] = total;
        }
        __syncthreads();
    }

    // Not yet divided by the sum.
    [[nodiscard]] __device__ float element(int row, int column) const {
        float value = 0;
        for (int w = 0; w < kWarps; ++w) {
            value += out[(w * 16 + row) * kDim + column] * high[w * 16 + row];
        }
        return value;
    }
    [[nodiscard]] __device__ float highest(int row) const { return high[kWarps * 16 + row]; }
    [[nodiscard]] __device__ float total(int row) const { return sum[kWarps * 16 + row]; }
};

// Adds up the parts of the group's heads; runs in the block that finished last.
template <int kDim>
__device__ void add_parts(const DecodeCall& c, const Part& p) {
    __shared__ float factors[kHeadsMax][kSplitsMax];
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t first = static_cast<std::int64_t>(p.entry) * c.a.heads + p.kv_head * p.group;
    const float* parts = c.space.partials + first * c.splits * (kDim + 2);
    for (int h = static_cast<int>(threadIdx.x) / 32; h < p.group; h += kWarps) {
        const float* part = parts + (h * c.splits + lane) * (kDim + 2) + kDim;
        const float high = lane < p.parts ? __ldcg(part) : -INFINITY;
        const float sum = lane < p.parts ? __ldcg(part + 1) : 0.0F;
        const float factor = exp2f(high - warp_max(high));
        factors[h][lane] = factor / warp_sum(sum * factor);
    }
    __syncthreads();
    bf16* out =
        c.a.out + (static_cast<std::int64_t>(p.row) * c.a.heads + p.kv_head * p.group) * kDim;
    for (int i = static_cast<int>(threadIdx.x); i < p.group * kDim; i += kAttentionThreads) {
        const int h = i / kDim;
        const float* part = parts + h * c.splits * (kDim + 2) + i % kDim;
        float value = 0;
#pragma unroll 8
        for (int s = 0; s < p.parts; ++s) value += factors[h][s] * __ldcg(part + s * (kDim + 2));
        out[i] = __float2bfloat16(value);
    }
}

template <int kDim>
__device__ void hand_over(const DecodeCall& c, const Part& p, const Merged<kDim>& merged) {
    for (int i = static_cast<int>(threadIdx.x); i < p.group * kDim; i += kAttentionThreads) {
        const int head = p.kv_head * p.group + i / kDim;
        float* part =
            c.space.partials +
            ((static_cast<std::int64_t>(p.entry) * c.a.heads + head) * c.splits + blockIdx.x) *
                (kDim + 2);
        part[i % kDim] = merged.element(i / kDim, i % kDim);
        if (i % kDim == 0) {
            part[kDim] = merged.highest(i / kDim);
            part[kDim + 1] = merged.total(i / kDim);
        }
    }
    __threadfence();
    __syncthreads();
    __shared__ bool last;
    if (threadIdx.x == 0) {
        std::int32_t* arrivals = c.space.arrivals + p.entry * c.a.kv_heads + p.kv_head;
        last = atomicAdd(arrivals, 1) == p.parts - 1;
        if (last) *arrivals = 0;
    }
    __syncthreads();
    if (!last) return;
    __threadfence();
    add_parts<kDim>(c, p);
}

template <int kDim>
__global__ void __launch_bounds__(kAttentionThreads, kDim <= 128 ? 3 : 1)
    decode_kernel(const DecodeCall c) {
    extern __shared__ float4 shared[];
    wait_for_inputs();
    let_next_begin();
    const Part p = find_part(c);
    if (p.tiles <= 0) return;
    Running<kDim> state;
    stream_part<kDim>(state, c, p, reinterpret_cast<bf16*>(shared));
    __syncthreads();
    Merged<kDim> merged(reinterpret_cast<float*>(shared));
    merged.gather(state);
    if (p.parts > 1) {
        hand_over<kDim>(c, p, merged);
        return;
    }
    for (int i = static_cast<int>(threadIdx.x); i < p.group * kDim; i += kAttentionThreads) {
        const int head = p.kv_head * p.group + i / kDim;
        c.a.out[(static_cast<std::int64_t>(p.row) * c.a.heads + head) * kDim + i % kDim] =
            __float2bfloat16(merged.element(i / kDim, i % kDim) / merged.total(i / kDim));
    }
}

template <int kDim>
constexpr int shared_bytes() {
    constexpr int kStream = kStages * TileLayout<kDim>::kStageBytes;
    constexpr int kMerge = 4 * (kWarps * 16 * kDim + 2 * (kWarps + 1) * 16);
    return kStream > kMerge ? kStream : kMerge;
}

template <int kDim>
void launch_decode(const DecodeCall& call, int count, cudaStream_t stream) {
    const dim3 grid(call.splits, call.a.kv_heads, count);
    launch(decode_kernel<kDim>, grid, kAttentionThreads, shared_bytes<kDim>(), stream, call);
}

}  // namespace

void attend_decode(const AttentionCall& call, const std::int32_t* list, int count, int splits,
                   const SplitSpace& space, const RopeCall* rope, cudaStream_t stream) {
    const DecodeCall decode{call,           list,
                            splits,         __builtin_ctz(call.block_tokens),
                            space,          rope != nullptr ? *rope : RopeCall{},
                            rope != nullptr};
    switch (call.head_dim) {
        case 64:
            return launch_decode<64>(decode, count, stream);
        case 96:
            return launch_decode<96>(decode, count, stream);
        case 128:
            return launch_decode<128>(decode, count, stream);
        case 256:
            return launch_decode<256>(decode, count, stream);
        default:
            throw DeviceFailure(kHeddleCudaInvalid, "no attention kernel for this head size");
    }
}

void prepare_decode_attention() {
    allow_shared(decode_kernel<64>, shared_bytes<64>());
    allow_shared(decode_kernel<96>, shared_bytes<96>());
    allow_shared(decode_kernel<128>, shared_bytes<128>());
    allow_shared(decode_kernel<256>, shared_bytes<256>());
}

}  // namespace heddle::compute::cuda
