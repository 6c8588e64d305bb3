// Launching with programmatic dependent launch: a kernel may begin while the one before it still
// runs, and waits in wait_for_inputs() before it touches what that one writes. Every kernel of
// the module calls it before its first access to anything but weights, also when it has nothing to
// do: the kernel after it relies on the whole chain (CUDA programming guide, "Programmatic
// Dependent Launch and Synchronization").
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "compute/cuda/device/device_failure.h"

namespace heddle::compute::cuda {

using bf16 = __nv_bfloat16;
using bf162 = __nv_bfloat162;

// For a kernel that may have anything but a kernel in front of it. What begins early waits for
// kernels alone: a copy into its inputs would still be on its way.
template <class... Parameters, class... Arguments>
void launch_after_copies(void (*kernel)(Parameters...), dim3 grid, dim3 block,
                         std::size_t shared_bytes, cudaStream_t stream,
                         const Arguments&... arguments) {
    kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Parameters>(arguments)...);
    check(cudaGetLastError(), "a launch");
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            cudaStream_t stream, const Arguments&... arguments) {
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), "a launch");
}

// More shared memory than the default needs leave, once for each kernel and device.
template <class Kernel>
void allow_shared(Kernel* kernel, std::size_t bytes) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(bytes)),
          "shared memory");
}

#ifdef __CUDACC__
__device__ inline void wait_for_inputs() {
    cudaGridDependencySynchronize();
}
__device__ inline void let_next_begin() {
    cudaTriggerProgrammaticLaunchCompletion();
}

// Eight bf16 as they lie in memory.
struct alignas(16) Eight {
    bf16 one[8];
};

__device__ inline Eight load_eight(const bf16* from) {
    Eight value;
    *reinterpret_cast<uint4*>(&value) = *reinterpret_cast<const uint4*>(from);
    return value;
}
__device__ inline void store_eight(bf16* to, const Eight& value) {
    *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(&value);
}

__device__ inline float warp_sum(float value) {
    for (int offset = 16; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(0xffffffffU, value, offset);
    }
    return value;
}
__device__ inline float warp_max(float value) {
    for (int offset = 16; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, offset));
    }
    return value;
}
#endif

}  // namespace heddle::compute::cuda
