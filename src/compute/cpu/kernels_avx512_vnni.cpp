// The AVX-512 table with integer dot products (Cascade Lake, Zen 4 and later).
#define HEDDLE_VNNI 1
#include "compute/cpu/tiles_avx512_impl.h"

namespace heddle::compute::cpu {
const Kernels& avx512_vnni_kernels() {
    return kTable;
}
}  // namespace heddle::compute::cpu
