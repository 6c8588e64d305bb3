// Attention of prompt chunks: FlashAttention-2 (Dao, 2023) over the paged cache. A block takes 64
// query rows against one head of the cache: some tokens times all the heads that share it, so
// that keys and values are read once for the group. Each warp holds 16 rows and meets all keys.
#include "compute/cuda/device/attention_tile.cuh"

namespace heddle::compute::cuda {
namespace {

constexpr int kStages = 2;
constexpr int kRows = 64;
constexpr int kGroups = kTileKeys / 16;

struct PrefillCall {
    AttentionCall a;
    const std::int32_t* tiles;
    int block_shift;
    int tokens;  // of a tile
};

// The rows of one block: row r is token first + r / group, head r % group of the group.
struct Tile {
    int sequence, kv_head, group;
    int first_row;  // of the step
    int tokens;
    int position;  // of its first token
    int end;       // keys that its last token sees
    int begin;     // first key that its first token sees, down to a tile's start
};

__device__ Tile find_tile(const PrefillCall& c) {
    Tile tile;
    tile.sequence = c.tiles[2 * blockIdx.x];
    const int first = c.tiles[2 * blockIdx.x + 1];
    tile.kv_head = static_cast<int>(blockIdx.y);
    tile.group = c.a.heads / c.a.kv_heads;
    const int start = c.a.query_starts[tile.sequence];
    const int count = c.a.query_starts[tile.sequence + 1] - start;
    tile.first_row = start + first;
    tile.tokens = min(c.tokens, count - first);
    tile.position = c.a.contexts[tile.sequence] - count + first;
    tile.end = tile.position + tile.tokens;
    tile.begin =
        c.a.window > 0 ? max(0, tile.position + 1 - c.a.window) / kTileKeys * kTileKeys : 0;
    return tile;
}

// Where row `r` of the tile lies in [rows, heads]; negative beyond the tile.
__device__ int head_row(const PrefillCall& c, const Tile& tile, int r) {
    if (r >= tile.tokens * tile.group) return -1;
    return (tile.first_row + r / tile.group) * c.a.heads + tile.kv_head * tile.group +
           r % tile.group;
}

template <int kDim>
__device__ const bf16* query_of(const PrefillCall& c, const Tile& tile, int r) {
    const int at = head_row(c, tile, r);
    if (at < 0) return nullptr;
    return c.a.queries + static_cast<std::int64_t>(at / c.a.heads) * c.a.query_stride +
           at % c.a.heads * kDim;
}

template <int kDim>
__device__ void load_queries(std::uint32_t (&q)[kDim / 16][4], const PrefillCall& c,
                             const Tile& tile, int row) {
    const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const bf16* from = query_of<kDim>(c, tile, row + half * 8);
#pragma unroll
        for (int d = 0; d < kDim / 16; ++d) {
#pragma unroll
            for (int high = 0; high < 2; ++high) {
                q[d][half + 2 * high] =
                    from == nullptr
                        ? 0U
                        : *reinterpret_cast<const std::uint32_t*>(from + d * 16 + high * 8 + 2 * t);
            }
        }
    }
}

// Scores beyond what a row's token sees become impossible.
__device__ void mask(float (&scores)[kGroups][2][4], const AttentionCall& a, const int (&last)[2],
                     int first) {
    const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
    for (int j = 0; j < kGroups * 2; ++j) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int position = first + j * 8 + 2 * t + i % 2;
            const int own = last[i / 2];
            const bool seen = position <= own && (a.window == 0 || position > own - a.window);
            float& score = scores[j / 2][j % 2][i];
            score = seen ? scaled(score, a.scale, a.softcap) : -INFINITY;
        }
    }
}

template <int kDim>
__device__ void stream_keys(Running<kDim>& state, const PrefillCall& c, const Tile& tile, int row,
                            std::uint32_t stages) {
    const TileReader<kDim> reader{
        c.a.keys,
        c.a.values,
        c.a.tables + static_cast<std::int64_t>(tile.sequence) * *c.a.table_width,
        tile.kv_head,
        c.a.kv_heads,
        c.block_shift};
    const int last[2] = {tile.position + row / tile.group, tile.position + (row + 8) / tile.group};
    const int count = (tile.end - tile.begin + kTileKeys - 1) / kTileKeys;
    reader.fetch(stages, tile.begin, tile.end);
    commit_copies();
    std::uint32_t q[kDim / 16][4];
    load_queries<kDim>(q, c, tile, row);
    for (int n = 0; n < count; ++n) {
        const int first = tile.begin + n * kTileKeys;
        if (n + 1 < count) {
            reader.fetch(stages + ((n + 1) % kStages) * TileLayout<kDim>::kStageBytes,
                         first + kTileKeys, tile.end);
        }
        commit_copies();
        wait_copies<1>();
        __syncthreads();
        const std::uint32_t stage = stages + (n % kStages) * TileLayout<kDim>::kStageBytes;
        float scores[kGroups][2][4] = {};
#pragma unroll
        for (int k = 0; k < kGroups; ++k) Running<kDim>::score(scores[k], q, stage, k * 16);
        mask(scores, c.a, last, first);
        state.soften(scores);
#pragma unroll
        for (int k = 0; k < kGroups; ++k) {
            std::uint32_t probabilities[4];
            pack_probabilities(probabilities, scores[k]);
            state.take(probabilities, stage, k * 16);
        }
        __syncthreads();
    }
    wait_copies<0>();
    state.finish_sums();
}

template <int kDim>
__global__ void __launch_bounds__(kAttentionThreads, kDim <= 64 ? 4 : (kDim <= 128 ? 2 : 1))
    prefill_kernel(const PrefillCall c) {
    extern __shared__ float4 shared[];
    wait_for_inputs();
    let_next_begin();
    const Tile tile = find_tile(c);
    const int g = static_cast<int>(threadIdx.x % 32) / 4;
    const int t = static_cast<int>(threadIdx.x) % 4;
    const int row = static_cast<int>(threadIdx.x / 32) * 16 + g;
    Running<kDim> state;
    stream_keys<kDim>(state, c, tile, row, shared_address(shared));
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int at = head_row(c, tile, row + half * 8);
        if (at < 0) continue;
        const float factor = 1.0F / state.sum[half];
        bf16* to = c.a.out + static_cast<std::int64_t>(at) * kDim + 2 * t;
#pragma unroll
        for (int d = 0; d < kDim / 8; ++d) {
            *reinterpret_cast<std::uint32_t*>(to + d * 8) =
                pack(state.out[d][2 * half] * factor, state.out[d][2 * half + 1] * factor);
        }
    }
}

template <int kDim>
constexpr int shared_bytes() {
    return kStages * TileLayout<kDim>::kStageBytes;
}

template <int kDim>
void launch_prefill(const PrefillCall& call, int count, cudaStream_t stream) {
    launch(prefill_kernel<kDim>, dim3(count, call.a.kv_heads), kAttentionThreads,
           shared_bytes<kDim>(), stream, call);
}

}  // namespace

int prefill_tile_tokens(int heads, int kv_heads) {
    return kRows / (heads / kv_heads);
}

void attend_prefill(const AttentionCall& call, const std::int32_t* tiles, int count,
                    cudaStream_t stream) {
    const PrefillCall prefill{call, tiles, __builtin_ctz(call.block_tokens),
                              prefill_tile_tokens(call.heads, call.kv_heads)};
    switch (call.head_dim) {
        case 64:
            return launch_prefill<64>(prefill, count, stream);
        case 96:
            return launch_prefill<96>(prefill, count, stream);
        case 128:
            return launch_prefill<128>(prefill, count, stream);
        case 256:
            return launch_prefill<256>(prefill, count, stream);
        default:
            throw DeviceFailure(kHeddleCudaInvalid, "no attention kernel for this head size");
    }
}

void prepare_decode_attention();

void prepare_attention() {
    prepare_decode_attention();
    allow_shared(prefill_kernel<64>, shared_bytes<64>());
    allow_shared(prefill_kernel<96>, shared_bytes<96>());
    allow_shared(prefill_kernel<128>, shared_bytes<128>());
    allow_shared(prefill_kernel<256>, shared_bytes<256>());
}

}  // namespace heddle::compute::cuda
