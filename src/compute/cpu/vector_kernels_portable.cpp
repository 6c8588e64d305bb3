// Row kernels for any x86-64, in vectors of four (SSE2).
#define HEDDLE_VECTOR_WIDTH 4
#include "compute/cpu/vector_kernels_impl.h"

namespace heddle::compute::cpu {
const VectorKernels& portable_vector_kernels() {
    return kVectorTable;
}
}  // namespace heddle::compute::cpu
