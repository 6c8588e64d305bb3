// The table of kernels that one ISA level offers. Kernels are plain functions over pointers, each
// table in a file compiled with its own flags; such files include nothing that defines inline
// functions, so that no code with foreign instructions can replace the common one at link time.
//
// Tiles. A tile product adds `rows` (1 … rows_max) rows of activations times one panel of 16
// weight rows to a block c[rows][16] of fp32. Activations are packed by tiles: [k][rows] elements,
// or [k/2][rows][2] words, or [k/4][rows][4] bytes. The result for a row is the same bit for bit
// whatever `rows` is: sums run over k in ascending order, integers are exact.
#pragma once

#include <cstdint>

#include "compute/cpu/isa.h"
#include "compute/cpu/panels.h"

namespace heddle::compute::cpu {

// Integer activations of a tile and chunk.
struct WordTile {
    const std::int16_t* words;  // [kc/2][rows][2]
    const float* scale;         // [rows]
};
struct ByteTile {
    const std::int8_t* bytes;  // [kc/4][rows][4]
    const std::int16_t* sums;  // [min_pairs][rows][2], of the chunk's min_block_cols
    const float* scale;        // [rows]
};

struct Kernels {
    IsaLevel level;
    int float_rows_max;
    int word_rows_max;
    int byte_rows_max;
    int half_rows_max;  // 0 where there are no products of bf16 by bf16
    int half_group;     // columns that tile_halves wants side by side: [k/group][rows][group]

    // c[rows][ldc] += a[k][rows] * b[k][ldb], 16 columns.
    void (*tile_f32)(const float* a, const float* b, std::int64_t ldb, std::int64_t k, int rows,
                     float* c, std::int64_t ldc);
    // c[rows][ldc] += p[rows][16] * b[k][ldb], k at most 16: probabilities as attention has them.
    void (*tile_scores)(const float* p, const float* b, std::int64_t ldb, std::int64_t k, int rows,
                        float* c, std::int64_t ldc);
    // As tile_f32 with ldb = ldc = 16 and the panel's stored type.
    void (*tile_f16)(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c);
    void (*tile_bf16)(const float* a, const std::uint16_t* b, std::int64_t k, int rows, float* c);
    void (*tile_words)(const WordTile& a, const WordChunk& w, std::int64_t k, int rows, float* c);
    void (*tile_bytes)(const ByteTile& a, const ByteChunk& w, std::int64_t k, int rows, float* c);

    // bf16 activations, padded with zeros to whole 32 columns, times a bf16 panel; null as above.
    void (*tile_halves)(const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, int rows,
                        float* c);

    // One row times a stored chunk, as the unpacking and the tile with one row would have it; null
    // where a path has no better way than those.
    void (*row_words)(const WordTile& a, const std::byte* packed, std::int64_t kc, float* c);
    void (*row_bytes)(PanelFormat format, const ByteTile& a, const std::byte* packed,
                      std::int64_t kc, float* c);

    // Stored chunk of `kc` columns to integers.
    void (*unpack_words)(const std::byte* packed, std::int64_t kc, WordChunk& out);
    void (*unpack_bytes)(PanelFormat format, const std::byte* packed, std::int64_t kc,
                         ByteChunk& out);

    // One row's chunk of kc activations (kc a multiple of 4) to integers and its scale, written
    // with the strides of a tile: element k to words[(k/2) * stride * 2 + k%2], or
    // bytes[(k/4) * stride * 4 + k%4].
    float (*quantize_words)(const float* x, std::int64_t kc, std::int64_t stride,
                            std::int16_t* words);
    float (*quantize_bytes)(const float* x, std::int64_t kc, std::int64_t stride,
                            std::int8_t* bytes);
    // One row's chunk of kc activations (a multiple of 32) to bf16, element k to
    // halves[(k/group) * stride * group + k%group].
    void (*round_halves)(const float* x, std::int64_t kc, std::int64_t stride,
                         std::uint16_t* halves);

    // n 16-bit floats (a multiple of 16) to fp32.
    void (*widen_f16)(const std::uint16_t* x, std::int64_t n, float* out);
    void (*widen_bf16)(const std::uint16_t* x, std::int64_t n, float* out);
};

[[nodiscard]] const Kernels& portable_kernels();
[[nodiscard]] const Kernels& avx2_kernels();
[[nodiscard]] const Kernels& avx512_kernels();
[[nodiscard]] const Kernels& avx512_vnni_kernels();
// The table of the highest level up to `level`, which the CPU must have.
[[nodiscard]] const Kernels& kernels_for(IsaLevel level);

}  // namespace heddle::compute::cpu
