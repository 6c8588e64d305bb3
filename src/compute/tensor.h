// Views of memory with a type, a shape and strides, and the aligned buffers that own it. A view
// owns nothing and costs nothing to copy; whoever made the memory keeps it alive. The memory
// belongs to a backend: only on the host backends may it be read through the pointer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <type_traits>

#include "base/check.h"
#include "compute/dtype.h"

namespace heddle::compute {

inline constexpr int kRankMax = 4;
inline constexpr std::size_t kAlignment = 64;

// Shape and strides count elements, outermost dimension first; the last dimension is always
// contiguous (stride 1). Only unquantised types are viewed as tensors; quantised weights are
// handed over as WeightSource.
template <class Pointer>
class BasicTensor {
public:
    BasicTensor() = default;
    // A contiguous tensor.
    BasicTensor(Pointer data, DType dtype, std::initializer_list<std::int64_t> shape)
        : data_(data), dtype_(dtype), rank_(static_cast<int>(shape.size())) {
        HEDDLE_CHECK(shape.size() >= 1 && shape.size() <= kRankMax, "rank is 1 to 4");
        HEDDLE_CHECK(!is_quantised(dtype), "tensors hold plain elements");
        int i = 0;
        for (const std::int64_t n : shape) {
            HEDDLE_CHECK(n >= 0, "dimensions are not negative");
            shape_[i++] = n;
        }
        std::int64_t stride = 1;
        for (i = rank_ - 1; i >= 0; --i) {
            strides_[i] = stride;
            stride *= shape_[i];
        }
    }
    // A view of a mutable tensor is a view of a constant one.
    template <class Other>
        requires std::is_convertible_v<Other, Pointer>
    BasicTensor(const BasicTensor<Other>& other)  // NOLINT(google-explicit-constructor)
        : data_(other.data_),
          dtype_(other.dtype_),
          rank_(other.rank_),
          shape_(other.shape_),
          strides_(other.strides_) {}

    [[nodiscard]] bool empty() const { return rank_ == 0 || elements() == 0; }
    [[nodiscard]] Pointer data() const { return data_; }
    [[nodiscard]] DType dtype() const { return dtype_; }
    [[nodiscard]] int rank() const { return rank_; }
    [[nodiscard]] std::int64_t dim(int i) const { return shape_[i]; }
    [[nodiscard]] std::int64_t stride(int i) const { return strides_[i]; }
    // The last dimension, and the product of all others.
    [[nodiscard]] std::int64_t cols() const { return rank_ == 0 ? 0 : shape_[rank_ - 1]; }
    [[nodiscard]] std::int64_t rows() const {
        std::int64_t n = rank_ == 0 ? 0 : 1;
        for (int i = 0; i + 1 < rank_; ++i) n *= shape_[i];
        return n;
    }
    [[nodiscard]] std::int64_t elements() const { return rows() * cols(); }
    [[nodiscard]] bool contiguous() const {
        std::int64_t stride = 1;
        for (int i = rank_ - 1; i >= 0; --i) {
            if (shape_[i] != 1 && strides_[i] != stride) return false;
            stride *= shape_[i];
        }
        return true;
    }
    template <class Other>
    [[nodiscard]] bool same_shape(const BasicTensor<Other>& other) const {
        return rank_ == other.rank_ && shape_ == other.shape_;
    }

    // Element pointers for host memory; T must fit dtype().
    template <class T>
    [[nodiscard]] auto as() const {
        using Element =
            std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>, const T, T>;
        HEDDLE_CHECK(sizeof(T) == static_cast<std::size_t>(block_bytes(dtype_)),
                     "element type fits the tensor's");
        return static_cast<Element*>(data_);
    }
    // Row r of all leading dimensions taken together, in order.
    template <class T>
    [[nodiscard]] auto row(std::int64_t r) const {
        std::int64_t offset = 0;
        for (int i = rank_ - 2; i >= 0; --i) {
            offset += r % shape_[i] * strides_[i];
            r /= shape_[i];
        }
        return as<T>() + offset;
    }

    // [a, …] -> [count, …], starting at `first` of the outermost dimension.
    [[nodiscard]] BasicTensor slice(std::int64_t first, std::int64_t count) const {
        HEDDLE_CHECK(rank_ >= 1 && first >= 0 && count >= 0 && first + count <= shape_[0],
                     "slice lies inside");
        BasicTensor view = *this;
        view.data_ = advance(first * strides_[0]);
        view.shape_[0] = count;
        return view;
    }
    // [rows, cols] -> [rows, count] starting at column `first`; strides stay.
    [[nodiscard]] BasicTensor columns(std::int64_t first, std::int64_t count) const {
        HEDDLE_CHECK(rank_ >= 1 && first >= 0 && count >= 0 && first + count <= cols(),
                     "columns lie inside");
        BasicTensor view = *this;
        view.data_ = advance(first);
        view.shape_[rank_ - 1] = count;
        return view;
    }
    // [rows, parts * n] -> [rows, parts, n], e.g. a projection seen as heads.
    [[nodiscard]] BasicTensor split_columns(std::int64_t parts) const {
        HEDDLE_CHECK(rank_ >= 1 && rank_ < kRankMax && parts > 0 && cols() % parts == 0,
                     "columns split evenly");
        BasicTensor view = *this;
        const std::int64_t n = cols() / parts;
        view.shape_[rank_ - 1] = parts;
        view.strides_[rank_ - 1] = n;
        view.shape_[rank_] = n;
        view.strides_[rank_] = 1;
        ++view.rank_;
        return view;
    }

private:
    template <class Other>
    friend class BasicTensor;

    Pointer advance(std::int64_t elements) const {
        using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>,
                                        const std::byte, std::byte>;
        return static_cast<Byte*>(data_) + elements * block_bytes(dtype_);
    }

    Pointer data_ = nullptr;
    DType dtype_ = DType::kF32;
    int rank_ = 0;
    std::array<std::int64_t, kRankMax> shape_{};
    std::array<std::int64_t, kRankMax> strides_{};
};

using Tensor = BasicTensor<void*>;
using ConstTensor = BasicTensor<const void*>;

// Owned memory of a backend, aligned to kAlignment, freed the way it was made.
class Buffer {
public:
    using Free = void (*)(void*);

    Buffer() = default;
    Buffer(void* data, std::size_t bytes, Free free) : data_(data, free), bytes_(bytes) {}

    [[nodiscard]] void* data() const { return data_.get(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    std::unique_ptr<void, Free> data_{nullptr, +[](void*) {}};
    std::size_t bytes_ = 0;
};

// Host memory with undefined contents; throws std::bad_alloc. Zero bytes are allowed.
[[nodiscard]] Buffer allocate_host(std::size_t bytes);

}  // namespace heddle::compute
