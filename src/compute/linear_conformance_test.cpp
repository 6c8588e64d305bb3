// Linears of every stored type on every kernel path against the reference: odd shapes, strided
// activations, bias, accumulation; and the promise that a row does not depend on its batch.
#include <gtest/gtest.h>

#include "compute/conformance_testing.h"
#include "compute/dequantize.h"

namespace heddle::compute::testing {
namespace {

constexpr DType kTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ8_0,
                            DType::kQ4_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};

// Errors are measured in ||x|| ||w|| / sqrt(k), the spread of a product of random rows. What
// remains for integers is the rounding of activations: to 1/2047 or 1/127 of a chunk's largest,
// about 3 deviations, so 4e-4 or 7e-3 in these units; the bounds are some five times that.
double bound(DType dtype, Arithmetic arithmetic) {
    if (arithmetic == Arithmetic::kBF16) return 1.5e-2;
    if (arithmetic == Arithmetic::kI8) return 3e-2;
    if (!is_quantised(dtype)) return 3e-5;
    return dtype == DType::kQ8_0 ? 4e-3 : 6e-2;
}

double norm(const float* x, std::int64_t n) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
    return std::sqrt(sum);
}

void expect_products(const Matrix& got, const Matrix& want, const Matrix& x,
                     const WeightSource& source, double limit) {
    EXPECT_TRUE(got.margin_untouched());
    std::vector<float> row(static_cast<std::size_t>(source.cols));
    const std::int64_t bytes = row_bytes(source.dtype, source.cols);
    int wrong = 0;
    for (std::int64_t n = 0; n < source.rows && wrong < 5; ++n) {
        dequantize_row(source.dtype, source.data.data() + n * bytes, source.cols, row.data());
        const double weight = norm(row.data(), source.cols);
        for (std::int64_t m = 0; m < got.view().rows() && wrong < 5; ++m) {
            const double unit = norm(x.view().row<float>(m), source.cols) * weight /
                                std::sqrt(static_cast<double>(source.cols));
            const double error = std::abs(got.at(m, n) - want.at(m, n));
            if (error <= limit * unit) continue;
            ++wrong;
            ADD_FAILURE() << to_string(source.dtype) << " [" << source.rows << ", " << source.cols
                          << "] row " << m << " output " << n << ": " << got.at(m, n) << " for "
                          << want.at(m, n) << ", off by " << error / unit << " units";
        }
    }
}

class LinearConformance : public OnEveryPath {
protected:
    void compare(DType dtype, Arithmetic arithmetic, std::int64_t m, std::int64_t n,
                 std::int64_t k) {
        const StoredWeight stored = random_weight(seeded_, dtype, n, k);
        const Matrix x = Matrix::random(seeded_, m, k);
        const Matrix bias = Matrix::random(seeded_, 1, n);
        const auto tested = backend();
        const auto exact = reference();
        const WeightPtr w = std::move(tested->prepare_linear(stored.source, arithmetic)).value();
        const WeightPtr r = std::move(exact->prepare_linear(stored.source, arithmetic)).value();
        for (const bool accumulate : {false, true}) {
            const Matrix before = Matrix::random(seeded_, m, n);
            const Matrix got = accumulate ? before.copy() : Matrix::poisoned(m, n);
            const Matrix want = accumulate ? before.copy() : Matrix::poisoned(m, n);
            const LinearOptions options{.bias = accumulate ? ConstTensor() : bias.vector(),
                                        .accumulate = accumulate};
            tested->linear(got.view(), x.in(), *w, options);
            exact->linear(want.view(), x.in(), *r, options);
            expect_products(got, want, x, stored.source, bound(dtype, arithmetic));
        }
    }
};

TEST_P(LinearConformance, EveryTypeAndShape) {
    SCOPED_TRACE(seeded_.trace());
    for (const DType dtype : kTypes) {
        const std::int64_t block = block_elements(dtype);
        for (const std::int64_t m : {1, 2, 3, 5, 7, 17, 100}) {
            const std::int64_t k =
                block == 1 ? seeded_.between(1, 700) : block * seeded_.between(1, 700 / block);
            compare(dtype, Arithmetic::kNative, m, seeded_.between(1, 70), k);
        }
        compare(dtype, Arithmetic::kNative, 4, 33, 768);
    }
}

TEST_P(LinearConformance, RoundedArithmetic) {
    SCOPED_TRACE(seeded_.trace());
    for (const Arithmetic arithmetic : {Arithmetic::kBF16, Arithmetic::kI8}) {
        for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
            compare(dtype, arithmetic, seeded_.between(1, 40), seeded_.between(1, 70),
                    seeded_.between(64, 700));
            compare(dtype, arithmetic, 19, 48, 384);
        }
    }
}

TEST_P(LinearConformance, ARowDependsOnItselfAlone) {
    SCOPED_TRACE(seeded_.trace());
    const std::int64_t m = 113;
    const std::int64_t n = 50;
    const std::int64_t k = 768;
    const auto one_thread = backend(1);
    const auto three_threads = backend(3);
    for (const DType dtype : kTypes) {
        for (const Arithmetic arithmetic :
             {Arithmetic::kNative, Arithmetic::kBF16, Arithmetic::kI8}) {
            const StoredWeight stored = random_weight(seeded_, dtype, n, k);
            const Matrix x = Matrix::random(seeded_, m, k);
            const auto w = std::move(one_thread->prepare_linear(stored.source, arithmetic)).value();
            const Matrix together = Matrix::poisoned(m, n);
            three_threads->linear(together.view(), x.in(), *w, {});
            for (std::int64_t first = 0; first < m;) {
                const std::int64_t count = std::min(m - first, seeded_.between(1, 13));
                const Matrix part = Matrix::poisoned(count, n);
                one_thread->linear(part.view(), x.view().slice(first, count), *w, {});
                for (std::int64_t r = 0; r < count; ++r) {
                    for (std::int64_t c = 0; c < n; ++c) {
                        ASSERT_EQ(part.at(r, c), together.at(first + r, c))
                            << to_string(dtype) << " row " << first + r << " of batch " << count;
                    }
                }
                first += count;
            }
        }
    }
}

// What was made of an input serves the next linear only where it may.
TEST_P(LinearConformance, TheSameInputAgainChangesNothing) {
    SCOPED_TRACE(seeded_.trace());
    const auto fresh = backend();
    const auto reused = backend();
    const Matrix x = Matrix::random(seeded_, 19, 512);
    bool same = false;
    for (const DType dtype : {DType::kQ8_0, DType::kQ8_0, DType::kQ4_K, DType::kQ6_K, DType::kBF16,
                              DType::kQ4_K, DType::kF32, DType::kF32}) {
        const StoredWeight stored = random_weight(seeded_, dtype, 40, 512);
        const Matrix got = Matrix::poisoned(19, 40);
        const Matrix want = Matrix::poisoned(19, 40);
        const auto prepare = [&](Backend& of) {
            return std::move(of.prepare_linear(stored.source, Arithmetic::kNative)).value();
        };
        fresh->linear(want.view(), x.in(), *prepare(*fresh), {});
        reused->linear(got.view(), x.in(), *prepare(*reused), {.same_input = same});
        same = true;
        for (std::int64_t m = 0; m < 19; ++m) {
            for (std::int64_t n = 0; n < 40; ++n) ASSERT_EQ(got.at(m, n), want.at(m, n));
        }
    }
}

TEST_P(LinearConformance, ZeroAndTinyActivations) {
    for (const DType dtype : kTypes) {
        const StoredWeight stored = random_weight(seeded_, dtype, 20, 256);
        const auto tested = backend();
        const auto w =
            std::move(tested->prepare_linear(stored.source, Arithmetic::kNative)).value();
        for (const float value : {0.0F, 1e-38F, -1e-44F}) {
            const Matrix x = Matrix::poisoned(2, 256);
            for (std::int64_t i = 0; i < 512; ++i) x.view().row<float>(i / 256)[i % 256] = value;
            const Matrix y = Matrix::poisoned(2, 20);
            tested->linear(y.view(), x.in(), *w, {});
            for (std::int64_t i = 0; i < 40; ++i) EXPECT_NEAR(y.at(i / 20, i % 20), 0.0F, 1e-30F);
        }
    }
}

TEST_P(LinearConformance, NoRowsIsNoWork) {
    const StoredWeight stored = random_weight(seeded_, DType::kQ8_0, 20, 64);
    const auto tested = backend();
    const auto w = std::move(tested->prepare_linear(stored.source, Arithmetic::kNative)).value();
    const Matrix x = Matrix::poisoned(0, 64);
    tested->linear(Matrix::poisoned(0, 20).view(), x.in(), *w, {});
}

HEDDLE_ON_EVERY_PATH(LinearConformance);

TEST(PrepareLinear, RefusesWhatDoesNotAddUp) {
    const std::vector<std::byte> bytes(340);
    for (const auto& backend : {reference(), on(cpu::IsaLevel::kBest)}) {
        const auto refused = [&](DType dtype, std::int64_t rows, std::int64_t cols) {
            return !backend->prepare_linear({bytes, dtype, rows, cols}, Arithmetic::kNative);
        };
        EXPECT_FALSE(refused(DType::kQ8_0, 5, 64));
        EXPECT_FALSE(refused(DType::kF32, 5, 17));
        EXPECT_TRUE(refused(DType::kQ8_0, 5, 96));
        EXPECT_TRUE(refused(DType::kQ8_0, 10, 33));
        EXPECT_TRUE(refused(DType::kQ4_K, 1, 32));
        EXPECT_TRUE(refused(DType::kF32, 0, 17));
        EXPECT_TRUE(refused(DType::kF32, -5, -17));
        EXPECT_TRUE(refused(DType::kF32, INT64_MAX, 4));
        EXPECT_TRUE(refused(DType::kI32, 5, 17));
    }
}

}  // namespace
}  // namespace heddle::compute::testing
