// The AVX-512 table without dot products (Skylake).
#define HEDDLE_VNNI 0
#include "compute/cpu/tiles_avx512_impl.h"

namespace heddle::compute::cpu {
const Kernels& avx512_kernels() {
    return kTable;
}
}  // namespace heddle::compute::cpu
