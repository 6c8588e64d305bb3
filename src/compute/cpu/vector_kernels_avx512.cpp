// Row kernels for AVX-512, in vectors of sixteen.
#define HEDDLE_VECTOR_WIDTH 16
#include "compute/cpu/vector_kernels_impl.h"

namespace heddle::compute::cpu {
const VectorKernels& avx512_vector_kernels() {
    return kVectorTable;
}
}  // namespace heddle::compute::cpu
