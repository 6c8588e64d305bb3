// Stored tensors on their way into a backend: shapes are checked against the configuration,
// vectors (norms, biases) become fp32, matrices stay as stored.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compute/backend.h"
#include "model/stored_tensor.h"

namespace heddle::model {

// An fp32 vector in backend memory; empty() when the model has none.
class WeightVector {
public:
    WeightVector() = default;
    WeightVector(compute::Buffer buffer, std::int64_t size)
        : buffer_(std::move(buffer)), size_(size) {}

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] compute::ConstTensor view() const {
        if (empty()) return {};
        return compute::Tensor(buffer_.data(), compute::DType::kF32, {size_});
    }

private:
    compute::Buffer buffer_;
    std::int64_t size_ = 0;
};

// A linear layer with its bias, if it has one.
struct Linear {
    compute::WeightPtr weight;
    WeightVector bias;
};

// Rows [first, first + count) of a stored matrix: one of several layers stored as one.
struct RowRange {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t total = 0;
};

// Finds tensors by name and checks their shapes. What it gives points into `tensors`.
class TensorReader {
public:
    explicit TensorReader(const StoredTensors& tensors) : tensors_(tensors) {}

    [[nodiscard]] bool has(std::string_view name) const { return tensors_.find(name) != nullptr; }
    // Some rows of the matrix `name` [range.total, cols], as they are stored.
    [[nodiscard]] Result<compute::WeightSource> matrix(const std::string& name,
                                                       const RowRange& range,
                                                       std::int64_t cols) const;
    // Some elements of the vector `name` [range.total], as fp32.
    [[nodiscard]] Result<std::vector<float>> vector(const std::string& name,
                                                    const RowRange& range) const;

private:
    const StoredTensors& tensors_;
};

class WeightLoader {
public:
    // Both outlive the loader. Matrices read in place also need `tensors` as long as they live.
    WeightLoader(const StoredTensors& tensors, compute::Backend& backend,
                 compute::Arithmetic arithmetic)
        : reader_(tensors), backend_(backend), arithmetic_(arithmetic) {}

    [[nodiscard]] bool has(std::string_view name) const { return reader_.has(name); }

    // NAME.weight [rows, cols], and NAME.bias [rows] where the file has it.
    [[nodiscard]] Result<Linear> linear(const std::string& name, std::int64_t rows,
                                        std::int64_t cols) const;
    [[nodiscard]] Result<Linear> linear_part(const std::string& name, const RowRange& range,
                                             std::int64_t cols) const;
    // `name` is the tensor's full name.
    [[nodiscard]] Result<compute::WeightPtr> matrix(const std::string& name, const RowRange& range,
                                                    std::int64_t cols) const;
    [[nodiscard]] Result<compute::WeightPtr> table(const std::string& name, std::int64_t rows,
                                                   std::int64_t cols) const;
    [[nodiscard]] Result<WeightVector> vector(const std::string& name, std::int64_t size) const;
    [[nodiscard]] Result<WeightVector> upload(std::span<const float> values) const;

    // Matrices that a TensorReader found; `name` is for the message.
    [[nodiscard]] Result<compute::WeightPtr> prepare(const compute::WeightSource& source,
                                                     const std::string& name) const;

private:
    [[nodiscard]] Result<WeightVector> vector_part(const std::string& name,
                                                   const RowRange& range) const;

    TensorReader reader_;
    compute::Backend& backend_;
    compute::Arithmetic arithmetic_;
};

}  // namespace heddle::model
