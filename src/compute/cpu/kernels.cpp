#include "compute/cpu/kernels.h"

#include "compute/cpu/halves_amx.h"
#include "compute/cpu/halves_avx512_bf16.h"
#include "compute/cpu/vector_kernels.h"

namespace heddle::compute::cpu {
namespace {

Kernels with_bf16_dot_products() {
    Kernels kernels = avx512_vnni_kernels();
    kernels.level = IsaLevel::kAvx512Bf16;
    kernels.half_rows_max = avx512_bf16::kHalfRows;
    kernels.half_group = 2;
    kernels.tile_halves = avx512_bf16::tile_halves;
    kernels.round_halves = avx512_bf16::round_pairs;
    return kernels;
}

Kernels with_tiles() {
    Kernels kernels = with_bf16_dot_products();
    kernels.level = IsaLevel::kAmx;
    kernels.half_rows_max = 16;
    kernels.half_group = 32;
    kernels.tile_halves = amx::tile_halves;
    kernels.round_halves = avx512_bf16::round_lines;
    return kernels;
}

}  // namespace

const Kernels& kernels_for(IsaLevel level) {
    static const Kernels bf16 = with_bf16_dot_products();
    static const Kernels tiles = with_tiles();
    switch (level == IsaLevel::kBest ? detect_isa() : level) {
        case IsaLevel::kPortable:
            return portable_kernels();
        case IsaLevel::kAvx2:
            return avx2_kernels();
        case IsaLevel::kAvx512:
            return avx512_kernels();
        case IsaLevel::kAvx512Vnni:
            return avx512_vnni_kernels();
        case IsaLevel::kAvx512Bf16:
            return bf16;
        case IsaLevel::kAmx:
        case IsaLevel::kBest:
            break;
    }
    return tiles;
}

const VectorKernels& vector_kernels_for(IsaLevel level) {
    if (level == IsaLevel::kBest) level = detect_isa();
    if (level == IsaLevel::kPortable) return portable_vector_kernels();
    return level == IsaLevel::kAvx2 ? avx2_vector_kernels() : avx512_vector_kernels();
}

}  // namespace heddle::compute::cpu
