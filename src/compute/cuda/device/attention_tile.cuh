// What decode and prefill attention share: a tile of 64 keys and values of one sequence and one
// head on its way from the paged cache through shared memory, and the running softmax of
// FlashAttention-2 (Dao, 2023) over it.
#pragma once

#include <cstdint>

#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/mma.cuh"

namespace heddle::compute::cuda {

constexpr int kTileKeys = 64;
constexpr int kAttentionThreads = 128;
constexpr float kLog2E = 1.44269504F;

template <int kDim>
struct TileLayout {
    // Rows are an odd number of 16-byte pieces apart: eight rows of ldmatrix meet all banks.
    static constexpr int kStride = kDim + 8;
    static constexpr int kElements = kTileKeys * kStride;  // of keys, or of values
    static constexpr int kStageBytes = 2 * kElements * 2;
};

template <int kDim>
struct TileReader {
    const bf16* keys;
    const bf16* values;
    const std::int32_t* table;
    int kv_head, kv_heads, block_shift;  // blocks hold 1 << block_shift tokens

    // Starts the copy of keys [first, first + 64) to a stage; beyond `end` come zeros. The row of
    // position `without`, if it is among them, is left alone.
    __device__ void fetch(std::uint32_t stage, int first, int end, int without = -1) const {
        constexpr int kPieces = kDim / 8;
        for (int i = static_cast<int>(threadIdx.x); i < kTileKeys * kPieces;
             i += kAttentionThreads) {
            const int row = i / kPieces;
            const int piece = i % kPieces;
            const int position = first + row;
            if (position == without) continue;
            const bool valid = position < end;
            const int block = valid ? table[position >> block_shift] : 0;
            const std::int64_t from =
                (((static_cast<std::int64_t>(block) * kv_heads + kv_head) << block_shift) +
                 (valid ? position & ((1 << block_shift) - 1) : 0)) *
                    kDim +
                piece * 8;
            const std::uint32_t to = stage + (row * TileLayout<kDim>::kStride + piece * 8) * 2;
            copy_16(to, keys + from, valid);
            copy_16(to + TileLayout<kDim>::kElements * 2, values + from, valid);
        }
    }
};

// A warp's 16 query rows and what they have seen so far. Thread (g, t) has rows g and g + 8.
template <int kDim>
struct Running {
    float out[kDim / 8][4] = {};
    float highest[2] = {-INFINITY, -INFINITY};  // in units of log2
    float sum[2] = {0, 0};                      // this thread's columns only

    // scores += Q K^T for 16 keys from row `key` of the stage.
    __device__ static void score(float (&scores)[2][4], const std::uint32_t (&q)[kDim / 16][4],
                                 std::uint32_t stage, int key) {
        const int lane = static_cast<int>(threadIdx.x % 32);
        const int row = key + (lane & 7) + ((lane >> 4) << 3);
        const int column = ((lane >> 3) & 1) * 8;
        const std::uint32_t from = stage + (row * TileLayout<kDim>::kStride + column) * 2;
#pragma unroll
        for (int d = 0; d < kDim / 16; ++d) {
            std::uint32_t b[4];
            load_matrices(b, from + d * 32);
            mma_16x8x16(scores[0], q[d], b[0], b[1]);
            mma_16x8x16(scores[1], q[d], b[2], b[3]);
        }
    }

    // out += P V for 16 keys from row `key` of the stage.
    __device__ void take(const std::uint32_t (&p)[4], std::uint32_t stage, int key) {
        const int lane = static_cast<int>(threadIdx.x % 32);
        const std::uint32_t from =
            stage + TileLayout<kDim>::kElements * 2 +
            ((key + (lane & 15)) * TileLayout<kDim>::kStride + (lane >> 4) * 8) * 2;
#pragma unroll
        for (int d = 0; d < kDim / 16; ++d) {
            std::uint32_t b[4];
            load_matrices_transposed(b, from + d * 32);
            mma_16x8x16(out[2 * d], p, b[0], b[1]);
            mma_16x8x16(out[2 * d + 1], p, b[2], b[3]);
        }
    }

    // Turns kGroups × 16 scores into probabilities against the highest seen, rescaling the rest.
    template <int kGroups>
    __device__ void soften(float (&scores)[kGroups][2][4]) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float high = highest[half];
#pragma unroll
            for (int j = 0; j < kGroups * 2; ++j) {
                const float(&s)[4] = scores[j / 2][j % 2];
                high = fmaxf(high, fmaxf(s[2 * half], s[2 * half + 1]));
            }
            high = fmaxf(high, __shfl_xor_sync(0xffffffffU, high, 1));
            high = fmaxf(high, __shfl_xor_sync(0xffffffffU, high, 2));
            // A row that has seen nothing yet keeps its zeros.
            const float base = high == -INFINITY ? 0.0F : high;
            const float old = exp2f(highest[half] - base);
            highest[half] = high;
            sum[half] *= old;
#pragma unroll
            for (int d = 0; d < kDim / 8; ++d) {
                out[d][2 * half] *= old;
                out[d][2 * half + 1] *= old;
            }
#pragma unroll
            for (int j = 0; j < kGroups * 2; ++j) {
                float(&s)[4] = scores[j / 2][j % 2];
                s[2 * half] = exp2f(s[2 * half] - base);
                s[2 * half + 1] = exp2f(s[2 * half + 1] - base);
                sum[half] += s[2 * half] + s[2 * half + 1];
            }
        }
    }

    __device__ void finish_sums() {
        for (float& s : sum) {
            s += __shfl_xor_sync(0xffffffffU, s, 1);
            s += __shfl_xor_sync(0xffffffffU, s, 2);
        }
    }
};

__device__ inline void pack_probabilities(std::uint32_t (&p)[4], const float (&scores)[2][4]) {
    p[0] = pack(scores[0][0], scores[0][1]);
    p[1] = pack(scores[0][2], scores[0][3]);
    p[2] = pack(scores[1][0], scores[1][1]);
    p[3] = pack(scores[1][2], scores[1][3]);
}

// A raw product of query and key as a logarithm to base 2.
__device__ inline float scaled(float score, float scale, float softcap) {
    const float x = score * scale;
    return (softcap > 0 ? softcap * tanhf(x / softcap) : x) * kLog2E;
}

}  // namespace heddle::compute::cuda
