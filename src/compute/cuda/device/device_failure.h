// Failures inside the module. They are thrown here and become status codes at the C interface.
#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

#include "compute/cuda/device_api.h"

namespace heddle::compute::cuda {

class DeviceFailure : public std::runtime_error {
public:
    DeviceFailure(HeddleCudaStatus status, const std::string& what)
        : std::runtime_error(what), status_(status) {}
    [[nodiscard]] HeddleCudaStatus status() const { return status_; }

private:
    HeddleCudaStatus status_;
};

inline void check(cudaError_t code, const char* what) {
    if (code == cudaSuccess) return;
    const bool full = code == cudaErrorMemoryAllocation;
    throw DeviceFailure(full ? kHeddleCudaUnavailable : kHeddleCudaBroken,
                        std::string(what) + ": " + cudaGetErrorString(code));
}

}  // namespace heddle::compute::cuda
