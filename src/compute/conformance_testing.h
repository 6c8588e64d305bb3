// Help for the conformance tests: seeded random tensors in buffers of their own, outputs poisoned
// with NaN, and the list of backends under test.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "compute/backends.h"

namespace heddle::compute::testing {

// A seed of its own for each test, or HEDDLE_TEST_SEED for a fresh one; printed on failure.
class Seeded {
public:
    Seeded();
    [[nodiscard]] Rng& rng() { return rng_; }
    [[nodiscard]] std::string trace() const { return "HEDDLE_TEST_SEED=" + std::to_string(seed_); }
    float normal();  // mean 0, deviation 1
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low +
               static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(high - low + 1)));
    }

private:
    std::uint64_t seed_;
    Rng rng_;
};

// A float tensor [rows, cols] with a row stride beyond its columns, so that strides are exercised.
class Matrix {
public:
    static Matrix random(Seeded& seeded, std::int64_t rows, std::int64_t cols);
    // Every element NaN: an output that is not written shows.
    static Matrix poisoned(std::int64_t rows, std::int64_t cols);

    [[nodiscard]] Tensor view() const { return whole_.columns(0, cols_); }
    [[nodiscard]] ConstTensor in() const { return view(); }
    // Rank 1, for weights and biases; only for one row.
    [[nodiscard]] ConstTensor vector() const { return {data_->data(), DType::kF32, {cols_}}; }
    [[nodiscard]] Tensor heads(std::int64_t heads) const { return view().split_columns(heads); }
    [[nodiscard]] float at(std::int64_t r, std::int64_t c) const { return view().row<float>(r)[c]; }
    [[nodiscard]] Matrix copy() const;
    // Bytes between the columns of a row and the next row are as they were made.
    [[nodiscard]] bool margin_untouched() const;

private:
    Matrix(std::int64_t rows, std::int64_t cols);

    std::int64_t cols_;
    std::shared_ptr<std::vector<float>> data_;
    Tensor whole_;
};

// Ids, positions, starts.
class Integers {
public:
    explicit Integers(std::vector<std::int32_t> values) : values_(std::move(values)) {}
    [[nodiscard]] ConstTensor in() const {
        return {values_.data(), DType::kI32, {static_cast<std::int64_t>(values_.size())}};
    }
    [[nodiscard]] ConstTensor table(std::int64_t rows) const {
        return {
            values_.data(), DType::kI32, {rows, static_cast<std::int64_t>(values_.size()) / rows}};
    }

private:
    std::vector<std::int32_t> values_;
};

// Weights of any stored type with sane scales.
struct StoredWeight {
    std::vector<std::byte> bytes;
    WeightSource source;
};
[[nodiscard]] StoredWeight random_weight(Seeded& seeded, DType dtype, std::int64_t rows,
                                         std::int64_t cols);

// The reference, and the CPU backend on one path.
[[nodiscard]] std::unique_ptr<Backend> reference();
[[nodiscard]] std::unique_ptr<Backend> on(cpu::IsaLevel level, int threads = 2);

// |got - want| <= relative * |want| + absolute everywhere, and nothing but `got` was written.
void expect_close(const Matrix& got, const Matrix& want, float relative, float absolute);
void expect_same(const Matrix& got, const Matrix& want);

// One test instance for each path of this processor.
class OnEveryPath : public ::testing::TestWithParam<cpu::IsaLevel> {
protected:
    [[nodiscard]] std::unique_ptr<Backend> backend(int threads = 2) const {
        return on(GetParam(), threads);
    }
    Seeded seeded_;
};

#define HEDDLE_ON_EVERY_PATH(Suite)                                                         \
    INSTANTIATE_TEST_SUITE_P(Cpu, Suite,                                                    \
                             ::testing::ValuesIn(::heddle::compute::cpu::available_isas()), \
                             [](const auto& info) { return std::string(to_string(info.param)); })

}  // namespace heddle::compute::testing
