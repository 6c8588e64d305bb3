// The activations of one forward pass: a single block of backend memory, cut anew by each pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "compute/backend.h"

namespace heddle::model {

// Bytes that one [rows, cols] tensor takes in a Workspace.
[[nodiscard]] std::size_t workspace_bytes(compute::DType dtype, std::int64_t rows,
                                          std::int64_t cols);

// Belongs to the thread of its backend.
class Workspace {
public:
    // `backend` outlives the workspace.
    explicit Workspace(compute::Backend& backend) : backend_(backend) {}

    // Makes room for at least `bytes`; keeps what is larger. Tensors handed out before are void.
    Result<> reserve(std::size_t bytes);
    // Starts over: all tensors handed out are void.
    void reset() { used_ = 0; }

    // Undefined contents. It is a bug to take more than was reserved.
    compute::Tensor matrix(compute::DType dtype, std::int64_t rows, std::int64_t cols);
    // A kI32 vector with these values.
    compute::Tensor indices(std::span<const std::int32_t> values);

    [[nodiscard]] std::size_t bytes() const { return buffer_.bytes(); }

private:
    void* take(std::size_t bytes);

    compute::Backend& backend_;
    compute::Buffer buffer_;
    std::size_t used_ = 0;
};

}  // namespace heddle::model
