// Help for the kernel tests: arrays that exist on the device and on the host, random bf16 values,
// outputs poisoned before they are written, and the fp32 reference beside them.
#pragma once

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compute/backend.h"
#include "compute/backends.h"
#include "compute/half.h"

namespace heddle::compute::cuda::testing {

// A seed of its own for each run unless HEDDLE_TEST_SEED gives one; printed when a test fails.
class Dice {
public:
    Dice();
    float normal() { return normal_(engine_); }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
    }
    [[nodiscard]] std::string trace() const { return "HEDDLE_TEST_SEED=" + std::to_string(seed_); }
    [[nodiscard]] std::mt19937_64& engine() { return engine_; }

private:
    std::uint64_t seed_;
    std::mt19937_64 engine_;
    std::normal_distribution<float> normal_;
};

template <class T>
class OnDevice {
public:
    explicit OnDevice(const std::vector<T>& values) : count_(values.size()) {
        EXPECT_EQ(cudaMalloc(&data_, bytes() + 1), cudaSuccess);
        EXPECT_EQ(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice), cudaSuccess);
        // Kernels that may begin early do not wait for copies (launch.cuh).
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }
    ~OnDevice() { cudaFree(data_); }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

    // Reinterpreted where the kernel's element type is opaque here.
    template <class U = T>
    [[nodiscard]] U* as() const {
        return static_cast<U*>(data_);
    }
    [[nodiscard]] std::vector<T> read() const {
        std::vector<T> values(count_);
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        EXPECT_EQ(cudaMemcpy(values.data(), data_, bytes(), cudaMemcpyDeviceToHost), cudaSuccess);
        return values;
    }

private:
    [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(T); }

    std::size_t count_;
    void* data_ = nullptr;
};

// bf16 on the device and the same values in fp32 on the host.
class Bf16Array {
public:
    static Bf16Array random(Dice& dice, std::int64_t count, float deviation = 1);
    // NaN: an output that is not written shows.
    static Bf16Array poisoned(std::int64_t count);

    template <class U>
    [[nodiscard]] U* device() const {
        return bits_->as<U>();
    }
    [[nodiscard]] const std::vector<float>& host() const { return values_; }
    [[nodiscard]] std::vector<float> read() const;

private:
    explicit Bf16Array(std::vector<float> values);

    std::vector<float> values_;
    std::unique_ptr<OnDevice<std::uint16_t>> bits_;
};

[[nodiscard]] std::vector<float> random_floats(Dice& dice, std::int64_t count, float deviation = 1,
                                               float mean = 0);
[[nodiscard]] std::unique_ptr<Backend> reference();
// A view of host floats for the reference.
[[nodiscard]] inline Tensor view(std::vector<float>& values, std::int64_t rows) {
    return {values.data(), DType::kF32, {rows, static_cast<std::int64_t>(values.size()) / rows}};
}

// ‖got − want‖ / ‖want‖ is at most `relative`, and no element is far off; NaN never passes.
void expect_near(const std::vector<float>& got, const std::vector<float>& want, double relative,
                 const std::string& what);

// Skips where there is no Hopper GPU.
class OnHopper : public ::testing::Test {
protected:
    void SetUp() override;
    Dice dice_;
};

}  // namespace heddle::compute::cuda::testing
