#include "compute/cpu/kernels.h"

#include "compute/cpu/vector_kernels.h"

namespace heddle::compute::cpu {

const Kernels& kernels_for(IsaLevel level) {
    if (level == IsaLevel::kBest) level = detect_isa();
    return level == IsaLevel::kPortable ? portable_kernels() : avx2_kernels();
}

const VectorKernels& vector_kernels_for(IsaLevel level) {
    if (level == IsaLevel::kBest) level = detect_isa();
    if (level == IsaLevel::kPortable) return portable_vector_kernels();
    return level == IsaLevel::kAvx2 ? avx2_vector_kernels() : avx512_vector_kernels();
}

}  // namespace heddle::compute::cpu
