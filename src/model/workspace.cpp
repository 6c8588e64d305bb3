#include "model/workspace.h"

#include "base/check.h"

namespace heddle::model {

using compute::DType;
using compute::Tensor;

std::size_t workspace_bytes(DType dtype, std::int64_t rows, std::int64_t cols) {
    const auto bytes = static_cast<std::size_t>(rows * compute::row_bytes(dtype, cols));
    return (bytes + compute::kAlignment - 1) / compute::kAlignment * compute::kAlignment;
}

Result<> Workspace::reserve(std::size_t bytes) {
    used_ = 0;
    if (bytes <= buffer_.bytes()) return {};
    buffer_ = {};  // the old block goes before the new one comes
    HEDDLE_TRY(buffer_, backend_.allocate(bytes));
    return {};
}

void* Workspace::take(std::size_t bytes) {
    HEDDLE_CHECK(used_ + bytes <= buffer_.bytes(), "the workspace was reserved large enough");
    void* taken = static_cast<std::byte*>(buffer_.data()) + used_;
    used_ += bytes;
    return taken;
}

Tensor Workspace::matrix(DType dtype, std::int64_t rows, std::int64_t cols) {
    return {take(workspace_bytes(dtype, rows, cols)), dtype, {rows, cols}};
}

Tensor Workspace::indices(std::span<const std::int32_t> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    const Tensor tensor(take(workspace_bytes(DType::kI32, 1, count)), DType::kI32, {count});
    if (count > 0) backend_.upload(tensor, std::as_bytes(values));
    return tensor;
}

}  // namespace heddle::model
