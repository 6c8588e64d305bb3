// Products of bf16 by bf16 in AMX tiles.
#pragma once

#include <cstdint>

namespace heddle::compute::cpu::amx {

// 16 rows of a panel times up to 16 rows of activations [k/32][rows][32], padded with zeros to
// whole 32 columns. The tile state is set up and released inside, so that threads keep none.
void tile_halves(const std::uint16_t* a, const std::uint16_t* b, std::int64_t k, int rows,
                 float* c);

}  // namespace heddle::compute::cpu::amx
