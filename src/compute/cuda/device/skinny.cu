// Products with few rows, where the weights' way through memory is all that counts. A block takes
// 16 rows of W, its eight warps 64 columns each in turn. Every warp has a ring of its own in
// shared memory, three pieces of 2 KiB ahead and filled by asynchronous copies, the first of them
// from before the kernel in front has ended: weights do not depend on it. A thread's eight
// elements of a row go into the tensor cores' fragments as they lie (the order of columns within
// a product is free as long as X agrees).
#include <algorithm>

#include "compute/cuda/device/activation.cuh"
#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/mma.cuh"

namespace heddle::compute::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kRowsOfTile = 16;
constexpr int kMultiprocessors = 132;
constexpr int kChunk = 64;
constexpr int kStages = 4;  // of a warp's ring
constexpr int kNormRowsMax = 4;
constexpr int kNormVectors = 3;        // of eight elements that a thread norms
constexpr int kSharedMax = 40 * 1024;  // of X, for two blocks a multiprocessor

// One chunk of a warp: rows g and g + 8, columns 8t … and 32 + 8t ….
struct Piece {
    uint4 low[2];   // row g
    uint4 high[2];  // row g + 8
};

constexpr int kPieceElements = kRowsOfTile * kChunk;

// Where eight elements of a piece lie: odd rows have their halves swapped, so that the four
// threads of two rows meet all banks.
__device__ int place_in_piece(int row, int eight) {
    return row * kChunk + (eight ^ ((row & 1) * 4)) * 8;
}

__device__ void read_piece(Piece& piece, const bf16* ring) {
    const int g = static_cast<int>(threadIdx.x % 32) / 4;
    const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int eight = half * 4 + t;
        piece.low[half] = *reinterpret_cast<const uint4*>(ring + place_in_piece(g, eight));
        piece.high[half] = *reinterpret_cast<const uint4*>(ring + place_in_piece(g + 8, eight));
    }
}

// The chunks of a warp over all tiles of its block, one after another.
struct Walk {
    const bf16* weight;
    int k, tiles, chunks;  // chunks of the warp in a tile
    int tile, chunk;

    __device__ Walk(const SkinnyCall& c)
        : weight(c.weight),
          k(c.k),
          tiles(c.n / kRowsOfTile),
          chunks((c.k / kChunk - static_cast<int>(threadIdx.x / 32) + kWarps - 1) / kWarps),
          tile(static_cast<int>(blockIdx.x)),
          chunk(0) {}

    __device__ int column() const {
        return (chunk * kWarps + static_cast<int>(threadIdx.x / 32)) * kChunk +
               static_cast<int>(threadIdx.x % 4) * 8;
    }
    // Starts the copy of the chunk to a stage of the warp's ring.
    __device__ void fetch(std::uint32_t stage) const {
        if (tile < tiles && chunks > 0) {
            const int lane = static_cast<int>(threadIdx.x) % 32;
            const int first = (chunk * kWarps + static_cast<int>(threadIdx.x / 32)) * kChunk;
            const bf16* from = weight + static_cast<std::int64_t>(tile) * kRowsOfTile * k + first;
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const int row = i * 4 + lane / 8;
                const int eight = lane % 8;
                copy_16(stage + place_in_piece(row, eight) * 2,
                        from + static_cast<std::int64_t>(row) * k + eight * 8, true);
            }
        }
        commit_copies();
    }
    __device__ void advance() {
        if (++chunk >= chunks) {
            chunk = 0;
            tile += static_cast<int>(gridDim.x);
        }
    }
};

template <int kColumns>
__device__ void multiply(float (&sums)[kColumns][4], const Piece& piece,
                         const uint4 (&x)[kColumns][2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const uint4& low = piece.low[half];
        const uint4& high = piece.high[half];
        const std::uint32_t first[4] = {low.x, high.x, low.y, high.y};
        const std::uint32_t second[4] = {low.z, high.z, low.w, high.w};
#pragma unroll
        for (int n = 0; n < kColumns; ++n) {
            mma_16x8x16(sums[n], first, x[n][half].x, x[n][half].y);
            mma_16x8x16(sums[n], second, x[n][half].z, x[n][half].w);
        }
    }
}

// Rows of X in shared memory are this much longer than k, so that fragments of eight rows meet
// all banks.
constexpr int kRowPadding = 32;

// X in shared memory, as it is: one way through the caches for the whole block.
__device__ void copy_into(bf16* shared, const SkinnyCall& c) {
    const int pieces = c.k / 8;
    for (int i = static_cast<int>(threadIdx.x); i < c.m * pieces; i += kThreads) {
        const int row = i / pieces;
        const int column = i % pieces * 8;
        store_eight(shared + row * (c.k + kRowPadding) + column,
                    load_eight(c.x + static_cast<std::int64_t>(row) * c.k + column));
    }
    __syncthreads();
}

// X normed into shared memory.
__device__ void norm_into(bf16* shared, const SkinnyCall& c) {
    __shared__ float of_warps[kNormRowsMax][kWarps];
    for (int row = 0; row < c.m; ++row) {
        const bf16* x = c.x + static_cast<std::int64_t>(row) * c.k;
        Eight held[kNormVectors];
        float sum = 0;
#pragma unroll
        for (int v = 0; v < kNormVectors; ++v) {
            const int at = (static_cast<int>(threadIdx.x) + v * kThreads) * 8;
            if (at >= c.k) break;
            held[v] = load_eight(x + at);
            for (const bf16 e : held[v].one) sum += __bfloat162float(e) * __bfloat162float(e);
        }
        sum = warp_sum(sum);
        if (threadIdx.x % 32 == 0) of_warps[row][threadIdx.x / 32] = sum;
        __syncthreads();
        float total = 0;
        for (const float s : of_warps[row]) total += s;
        const float factor = rsqrtf(total / static_cast<float>(c.k) + c.epsilon);
#pragma unroll
        for (int v = 0; v < kNormVectors; ++v) {
            const int at = (static_cast<int>(threadIdx.x) + v * kThreads) * 8;
            if (at >= c.k) break;
            const float4 low = *reinterpret_cast<const float4*>(c.norm + at);
            const float4 high = *reinterpret_cast<const float4*>(c.norm + at + 4);
            const float weight[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
            for (int e = 0; e < 8; ++e) {
                held[v].one[e] =
                    __float2bfloat16(__bfloat162float(held[v].one[e]) * factor * weight[e]);
            }
            store_eight(shared + row * (c.k + kRowPadding) + at, held[v]);
        }
    }
    __syncthreads();
}

// The sums of a tile's 16 rows over the warps; parts is [kWarps][16][8 * kColumns].
template <int kColumns>
__device__ float total(const float* parts, int row, int column) {
    float sum = 0;
    for (int w = 0; w < kWarps; ++w) {
        sum += parts[(w * kRowsOfTile + row) * 8 * kColumns + column];
    }
    return sum;
}

template <int kColumns, SkinnyEnd kEnd>
__device__ void finish_tile(const SkinnyCall& c, const float* parts, int tile) {
    const int i = static_cast<int>(threadIdx.x);
    if constexpr (kEnd == SkinnyEnd::kActivate) {
        const int column = i / 8;
        const int row = i % 8;
        if (column >= min(c.m, 8 * kColumns)) return;
        // Rounded as the two products would be, were they stored.
        const float gate = __bfloat162float(__float2bfloat16(total<kColumns>(parts, row, column)));
        const float up =
            __bfloat162float(__float2bfloat16(total<kColumns>(parts, row + 8, column)));
        bf16* y = static_cast<bf16*>(c.y) + static_cast<std::int64_t>(column) * (c.n / 2);
        y[tile * 8 + row] = __float2bfloat16(activate(gate, c.activation) * up);
    } else {
        const int column = i / kRowsOfTile;
        const int row = i % kRowsOfTile;
        if (column >= min(c.m, 8 * kColumns)) return;
        const float sum = total<kColumns>(parts, row, column);
        const std::int64_t at = static_cast<std::int64_t>(column) * c.n + tile * kRowsOfTile + row;
        if constexpr (kEnd == SkinnyEnd::kStoreFloat) {
            static_cast<float*>(c.y)[at] = sum;
        } else {
            bf16* y = static_cast<bf16*>(c.y) + at;
            float value = __bfloat162float(__float2bfloat16(sum));
            if constexpr (kEnd == SkinnyEnd::kAdd) value += __bfloat162float(*y);
            *y = __float2bfloat16(value);
        }
    }
}

template <int kColumns>
__device__ void load_x(uint4 (&x)[kColumns][2], const bf16* from, int m, int stride, int column) {
    const int g = static_cast<int>(threadIdx.x % 32) / 4;
#pragma unroll
    for (int n = 0; n < kColumns; ++n) {
        const int row = n * 8 + g;
        const bf16* at = from + static_cast<std::int64_t>(row) * stride + column;
        x[n][0] = row < m ? *reinterpret_cast<const uint4*>(at) : make_uint4(0, 0, 0, 0);
        x[n][1] = row < m ? *reinterpret_cast<const uint4*>(at + 32) : make_uint4(0, 0, 0, 0);
    }
}

template <int kColumns>
__device__ void store_parts(float* parts, const float (&sums)[kColumns][4]) {
    const int g = static_cast<int>(threadIdx.x % 32) / 4;
    const int t = static_cast<int>(threadIdx.x) % 4;
    float* to = parts + static_cast<int>(threadIdx.x / 32) * kRowsOfTile * 8 * kColumns;
#pragma unroll
    for (int n = 0; n < kColumns; ++n) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float* row = to + (g + half * 8) * 8 * kColumns + n * 8 + 2 * t;
            row[0] = sums[n][2 * half];
            row[1] = sums[n][2 * half + 1];
        }
    }
}

template <int kColumns, SkinnyEnd kEnd>
__global__ void __launch_bounds__(kThreads, 2)
    skinny_kernel(const SkinnyCall c, const bool x_shared) {
    extern __shared__ float4 dynamic[];
    __shared__ float parts[2][kWarps * kRowsOfTile * 8 * kColumns];
    auto* rings = reinterpret_cast<bf16*>(dynamic);
    bf16* ring = rings + static_cast<int>(threadIdx.x / 32) * kStages * kPieceElements;
    bf16* shared = rings + kWarps * kStages * kPieceElements;
    const std::uint32_t ring_at = shared_address(ring);
    Walk ahead(c);
#pragma unroll
    for (int i = 0; i + 1 < kStages; ++i) {
        ahead.fetch(ring_at + i * kPieceElements * 2);
        ahead.advance();
    }
    wait_for_inputs();
    let_next_begin();
    if (c.norm != nullptr) {
        norm_into(shared, c);
    } else if (x_shared) {
        copy_into(shared, c);
    }
    const bf16* x_from = x_shared ? shared : c.x;
    const int x_stride = x_shared ? c.k + kRowPadding : c.k;
    Walk now(c);
    float sums[kColumns][4] = {};
    int side = 0;
    for (int unit = 0; now.tile < now.tiles; ++unit) {
        wait_copies<kStages - 2>();
        __syncwarp();
        if (now.chunks > 0) {
            Piece piece;
            uint4 x[kColumns][2];
            read_piece(piece, ring + unit % kStages * kPieceElements);
            load_x<kColumns>(x, x_from, c.m, x_stride, now.column());
            // The stage that the turn before has read.
            ahead.fetch(ring_at + (unit + kStages - 1) % kStages * kPieceElements * 2);
            ahead.advance();
            multiply<kColumns>(sums, piece, x);
        }
        const int tile = now.tile;
        now.advance();
        if (now.tile == tile) continue;
        // The tile is done, for all warps at the same count of barriers.
        store_parts<kColumns>(parts[side], sums);
        for (auto& of_column : sums) {
            for (float& sum : of_column) sum = 0;
        }
        __syncthreads();
        finish_tile<kColumns, kEnd>(c, parts[side], tile);
        side ^= 1;
    }
    wait_copies<0>();
}

constexpr int kRingBytes = kWarps * kStages * kPieceElements * static_cast<int>(sizeof(bf16));

// The bytes of X in shared memory; 0 when it stays where it is.
int shared_bytes(int m, int k) {
    const int bytes = m * (k + kRowPadding) * static_cast<int>(sizeof(bf16));
    return bytes <= kSharedMax ? bytes : 0;
}

template <int kColumns>
void launch_skinny(const SkinnyCall& call, cudaStream_t stream) {
    const dim3 grid(std::min(call.n / kRowsOfTile, 2 * kMultiprocessors));
    const int shared = shared_bytes(call.m, call.k);
    const auto go = [&](auto kernel) {
        launch(kernel, grid, kThreads, static_cast<std::size_t>(kRingBytes + shared), stream, call,
               shared > 0);
    };
    switch (call.end) {
        case SkinnyEnd::kStore:
            return go(skinny_kernel<kColumns, SkinnyEnd::kStore>);
        case SkinnyEnd::kAdd:
            return go(skinny_kernel<kColumns, SkinnyEnd::kAdd>);
        case SkinnyEnd::kActivate:
            return go(skinny_kernel<kColumns, SkinnyEnd::kActivate>);
        case SkinnyEnd::kStoreFloat:
            return go(skinny_kernel<kColumns, SkinnyEnd::kStoreFloat>);
    }
}

template <int kColumns>
void allow_all() {
    allow_shared(skinny_kernel<kColumns, SkinnyEnd::kStore>, kRingBytes + kSharedMax);
    allow_shared(skinny_kernel<kColumns, SkinnyEnd::kAdd>, kRingBytes + kSharedMax);
    allow_shared(skinny_kernel<kColumns, SkinnyEnd::kActivate>, kRingBytes + kSharedMax);
    allow_shared(skinny_kernel<kColumns, SkinnyEnd::kStoreFloat>, kRingBytes + kSharedMax);
}

}  // namespace

bool skinny_fits(int m, int n, int k) {
    return m <= kSkinnyRowsMax && n % kRowsOfTile == 0 && k % kChunk == 0;
}

bool skinny_norm_fits(int m, int k) {
    return m <= kNormRowsMax && k <= kNormVectors * kThreads * 8 && shared_bytes(m, k) > 0;
}

void skinny_product(const SkinnyCall& call, cudaStream_t stream) {
    if (call.m <= 8) {
        launch_skinny<1>(call, stream);
    } else {
        launch_skinny<2>(call, stream);
    }
}

void prepare_skinny() {
    allow_all<1>();
    allow_all<2>();
}

}  // namespace heddle::compute::cuda
