// How the CPU backend stores and unpacks linear weights.
//
// A weight [n, k] is cut into panels of 16 rows and chunks of 256 columns. Everything of one panel
// and chunk lies together, panels one after another, so that a decode reads memory in one stream.
// 16 rows are two AVX2 vectors, one AVX-512 vector, one AMX tile's columns: every path reads the
// same bytes.
//
// Stored layouts of one panel and chunk of `kc` columns (a lane is the place of one row):
//   f32   float [kc][16]
//   f16   half [kc][16]
//   bf16  uint16 [ceil(kc/2)][16][2]: two columns of a row side by side, a missing one zero
//   q8_0  float d[16]; int16 s[pairs][16][2]; int8 [kc/4][2][(2 columns)2][8 rows][2]
//   q4_0  float d[16]; int16 s[pairs][16][2]; nibbles [kc/8][64]
//         A block's scale is d * s: its ratio to the row's largest in the chunk, in 4096 steps.
//   q4_K  half d[16], dmin[16]; uint8 s[4][16][2], m[4][16][2]; nibbles [32][64]
//   q5_K  as q4_K, then the fifth bits [8][64]
//   q6_K  half d[16]; int8 s[8][16][2]; nibbles [32][64]; two high bits [16][64]
// Scales stand in pairs of neighbouring sub-blocks, as pmaddwd wants them. A group is 4 columns of
// 16 rows: uint8 [16][4]. Nibble byte i of row j holds place i of group 2j (low) and 2j + 1
// (high); bit b of a fifth-bit byte belongs to group 8j + b, bits 2b, 2b + 1 of a high-bits byte
// to group 4j + b.
//
// Unpacked, in a thread's scratch, a chunk of integers is
//   words  int16 [kc/2][16][2], weight = word * scale (q8_0)
//   bytes  uint8 [kc/4][16][4], weight = d * s * byte - dmin * m (the others)
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle::compute::cpu {

inline constexpr int kPanelRows = 16;
inline constexpr int kChunkCols = 256;

enum class PanelFormat { kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ4_K, kQ5_K, kQ6_K };

// A chunk of q8_0 as 16-bit integers: 4096 levels of weights times 2047 of activations times 256
// columns stay below 2^31.
struct WordChunk {
    alignas(64) std::int16_t words[kChunkCols * kPanelRows];
    alignas(64) float scale[kPanelRows];
};

// A chunk of 4- to 6-bit weights as bytes. Sums of `groups_per_scale` products of byte times
// activation stay in 16 bits before they meet their scale: 8, 4 and 2 groups for 4, 5 and 6 bits.
struct ByteChunk {
    alignas(64) std::uint8_t bytes[kChunkCols * kPanelRows];
    alignas(64) std::int16_t scales[32][kPanelRows][2];  // [group / groups_per_scale], twice each
    alignas(64) std::int16_t mins[8][kPanelRows][2];     // [pair of sub-blocks]
    alignas(64) float d[kPanelRows];
    alignas(64) float dmin[kPanelRows];
    int groups_per_scale;
    int min_pairs;       // sub-blocks / 2 of this chunk, rounded up
    int min_block_cols;  // columns of a sub-block: 16 or 32
};

}  // namespace heddle::compute::cpu
