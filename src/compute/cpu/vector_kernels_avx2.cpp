// Row kernels for AVX2 with FMA, in vectors of eight.
#define HEDDLE_VECTOR_WIDTH 8
#include "compute/cpu/vector_kernels_impl.h"

namespace heddle::compute::cpu {
const VectorKernels& avx2_vector_kernels() {
    return kVectorTable;
}
}  // namespace heddle::compute::cpu
