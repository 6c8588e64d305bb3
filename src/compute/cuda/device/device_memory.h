// Device memory of one decoder: taken piece by piece before the first step, given back together.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/cuda/device/device_failure.h"

namespace heddle::compute::cuda {

class DeviceMemory {
public:
    DeviceMemory() = default;
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;
    ~DeviceMemory() {
        for (void* piece : pieces_) cudaFree(piece);
    }

    // Zeroed.
    template <class T>
    T* take(std::int64_t count) {
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        void* piece = nullptr;
        check(cudaMalloc(&piece, bytes == 0 ? 1 : bytes), "device memory");
        pieces_.push_back(piece);
        check(cudaMemset(piece, 0, bytes), "device memory");
        return static_cast<T*>(piece);
    }

private:
    std::vector<void*> pieces_;
};

// Page-locked host memory, from which copies to the device do not wait.
class PinnedMemory {
public:
    PinnedMemory() = default;
    explicit PinnedMemory(std::size_t bytes) : bytes_(bytes) {
        check(cudaHostAlloc(&data_, bytes == 0 ? 1 : bytes, cudaHostAllocDefault), "pinned memory");
    }
    PinnedMemory(PinnedMemory&& other) noexcept : data_(other.data_), bytes_(other.bytes_) {
        other.data_ = nullptr;
    }
    PinnedMemory& operator=(PinnedMemory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~PinnedMemory() {
        if (data_ != nullptr) cudaFreeHost(data_);
    }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    template <class T>
    [[nodiscard]] T* as() const {
        return static_cast<T*>(data_);
    }

private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace heddle::compute::cuda
