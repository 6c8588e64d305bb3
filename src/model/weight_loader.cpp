#include "model/weight_loader.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "compute/dequantize.h"

namespace heddle::model {

using compute::DType;
using compute::WeightPtr;
using compute::WeightSource;

namespace {

bool holds_weights(std::optional<DType> dtype) {
    return dtype && *dtype != DType::kI8 && *dtype != DType::kI32 && *dtype != DType::kI64;
}

Error with_name(Error error, const std::string& name) {
    return std::move(error).with_context(fmt::format("tensor {}", name));
}

}  // namespace

Result<WeightSource> TensorReader::matrix(const std::string& name, const RowRange& range,
                                          std::int64_t cols) const {
    const std::array shape = {range.total, cols};
    HEDDLE_TRY(const StoredTensor* tensor, tensors_.require(name, shape));
    if (!holds_weights(tensor->dtype)) {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("tensor {} is stored in a type that is not supported", name));
    }
    const std::int64_t row_bytes = compute::row_bytes(*tensor->dtype, cols);
    WeightSource source;
    source.data = tensor->bytes.subspan(static_cast<std::size_t>(range.first * row_bytes),
                                        static_cast<std::size_t>(range.count * row_bytes));
    source.dtype = *tensor->dtype;
    source.rows = range.count;
    source.cols = cols;
    return source;
}

Result<std::vector<float>> TensorReader::vector(const std::string& name,
                                                const RowRange& range) const {
    const std::array shape = {range.total};
    HEDDLE_TRY(const StoredTensor* tensor, tensors_.require(name, shape));
    if (!holds_weights(tensor->dtype) || compute::is_quantised(*tensor->dtype)) {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("tensor {} is stored in a type that is not supported", name));
    }
    std::vector<float> values(static_cast<std::size_t>(range.count));
    const std::int64_t skipped = compute::row_bytes(*tensor->dtype, range.first);
    compute::dequantize_row(*tensor->dtype, tensor->bytes.data() + skipped, range.count,
                            values.data());
    return values;
}

Result<WeightPtr> WeightLoader::prepare(const WeightSource& source, const std::string& name) const {
    auto weight = backend_.prepare_linear(source, arithmetic_);
    if (!weight) return fail(with_name(std::move(weight).error(), name));
    return weight;
}

Result<WeightPtr> WeightLoader::matrix(const std::string& name, const RowRange& range,
                                       std::int64_t cols) const {
    HEDDLE_TRY(const WeightSource stored, reader_.matrix(name, range, cols));
    return prepare(stored, name);
}

Result<WeightPtr> WeightLoader::table(const std::string& name, std::int64_t rows,
                                      std::int64_t cols) const {
    HEDDLE_TRY(const WeightSource stored, reader_.matrix(name, {0, rows, rows}, cols));
    auto weight = backend_.prepare_embedding(stored);
    if (!weight) return fail(with_name(std::move(weight).error(), name));
    return weight;
}

Result<Linear> WeightLoader::linear(const std::string& name, std::int64_t rows,
                                    std::int64_t cols) const {
    return linear_part(name, {0, rows, rows}, cols);
}

Result<Linear> WeightLoader::linear_part(const std::string& name, const RowRange& range,
                                         std::int64_t cols) const {
    Linear linear;
    HEDDLE_TRY(linear.weight, matrix(name + ".weight", range, cols));
    if (has(name + ".bias")) {
        HEDDLE_TRY(linear.bias, vector_part(name + ".bias", range));
    }
    return linear;
}

Result<WeightVector> WeightLoader::vector(const std::string& name, std::int64_t size) const {
    return vector_part(name, {0, size, size});
}

Result<WeightVector> WeightLoader::vector_part(const std::string& name,
                                               const RowRange& range) const {
    HEDDLE_TRY(const std::vector<float> values, reader_.vector(name, range));
    return upload(values);
}

Result<WeightVector> WeightLoader::upload(std::span<const float> values) const {
    const auto size = static_cast<std::int64_t>(values.size());
    HEDDLE_TRY(compute::Buffer buffer, backend_.allocate(values.size_bytes()));
    backend_.upload(compute::Tensor(buffer.data(), DType::kF32, {size}), std::as_bytes(values));
    return WeightVector(std::move(buffer), size);
}

}  // namespace heddle::model
