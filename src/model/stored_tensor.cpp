#include "model/stored_tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace heddle::model {

std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) {
        if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) return std::nullopt;
    }
    return count;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<> StoredTensors::add(StoredTensor tensor) {
    const std::uint64_t size = tensor.bytes.size();
    std::string name = tensor.name;
    const auto [place, added] = tensors_.try_emplace(std::move(name), std::move(tensor));
    if (!added) {
        return fail(ErrorCode::kCorrupt, fmt::format("tensor {} appears twice", place->first));
    }
    byte_count_ += size;
    return {};
}

const StoredTensor* StoredTensors::find(std::string_view name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
}

Result<const StoredTensor*> StoredTensors::require(std::string_view name,
                                                   std::span<const std::int64_t> shape) const {
    const StoredTensor* tensor = find(name);
    if (tensor == nullptr) {
        return fail(ErrorCode::kCorrupt, fmt::format("tensor {} is missing", name));
    }
    if (!std::ranges::equal(tensor->shape, shape)) {
        return fail(ErrorCode::kCorrupt,
                    fmt::format("tensor {} has shape {}, the configuration asks for {}", name,
                                shape_text(tensor->shape), shape_text(shape)));
    }
    return tensor;
}

}  // namespace heddle::model
