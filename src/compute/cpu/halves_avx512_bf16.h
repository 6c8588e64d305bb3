// Rounding to bf16, shared by the AVX-512 bf16 and the AMX kernels.
#pragma once

#include <cstdint>

namespace heddle::compute::cpu::avx512_bf16 {

// 16 rows of a panel times activations in pairs [k/2][rows][2]; at most kHalfRows rows.
inline constexpr int kHalfRows = 12;
void tile_halves(const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, int rows,
                 float* c);
void round_pairs(const float* x, std::int64_t kc, std::int64_t stride, std::uint16_t* halves);
// For AMX: [k/32][rows][32].
void round_lines(const float* x, std::int64_t kc, std::int64_t stride, std::uint16_t* halves);

}  // namespace heddle::compute::cpu::avx512_bf16
