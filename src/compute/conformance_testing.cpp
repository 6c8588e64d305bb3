#include "compute/conformance_testing.h"

#include <cstdlib>
#include <cstring>
#include <numbers>

#include "compute/half.h"
#include "compute/quant_blocks.h"

namespace heddle::compute::testing {
namespace {

constexpr std::int64_t kMargin = 3;
constexpr float kMarginValue = 1234.5F;

std::uint64_t pick_seed() {
    if (const char* text = std::getenv("HEDDLE_TEST_SEED"); text != nullptr) {
        return std::strtoull(text, nullptr, 10);
    }
    std::uint64_t hash = 1469598103934665603U;
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    for (const char c : std::string(test->test_suite_name()) + test->name()) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    return hash % 1'000'000;
}

template <class Block>
void append(std::vector<std::byte>& to, const Block& block) {
    const auto* from = reinterpret_cast<const std::byte*>(&block);
    to.insert(to.end(), from, from + sizeof(block));
}

template <class Block>
Block random_bytes(Seeded& seeded) {
    std::uint8_t raw[sizeof(Block)];
    for (auto& byte : raw) byte = static_cast<std::uint8_t>(seeded.rng().below(256));
    return std::bit_cast<Block>(raw);
}

std::uint16_t random_scale(Seeded& seeded, float typical) {
    const double factor = 0.25 + 1.5 * seeded.rng().uniform();
    return f32_to_f16(typical * static_cast<float>(factor));
}

void append_block(Seeded& seeded, DType dtype, std::vector<std::byte>& to) {
    const bool negative = seeded.rng().below(2) == 0;
    switch (dtype) {
        case DType::kF32:
            return append(to, seeded.normal() * 0.05F);
        case DType::kF16:
            return append(to, f32_to_f16(seeded.normal() * 0.05F));
        case DType::kBF16:
            return append(to, f32_to_bf16(seeded.normal() * 0.05F));
        case DType::kQ8_0: {
            auto block = random_bytes<BlockQ8_0>(seeded);
            block.d = random_scale(seeded, 0.05F / 70);
            return append(to, block);
        }
        case DType::kQ4_0: {
            auto block = random_bytes<BlockQ4_0>(seeded);
            block.d = random_scale(seeded, negative ? -0.05F / 4 : 0.05F / 4);
            return append(to, block);
        }
        case DType::kQ4_K: {
            auto block = random_bytes<BlockQ4K>(seeded);
            block.d = random_scale(seeded, 0.05F / 130);
            block.dmin = random_scale(seeded, 0.05F / 16);
            return append(to, block);
        }
        case DType::kQ5_K: {
            auto block = random_bytes<BlockQ5K>(seeded);
            block.d = random_scale(seeded, 0.05F / 260);
            block.dmin = random_scale(seeded, 0.05F / 16);
            return append(to, block);
        }
        default: {
            auto block = random_bytes<BlockQ6K>(seeded);
            block.d = random_scale(seeded, 0.05F / 1100);
            return append(to, block);
        }
    }
}

}  // namespace

Seeded::Seeded() : seed_(pick_seed()), rng_(seed_) {}

float Seeded::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - rng_.uniform()));
    return static_cast<float>(radius * std::cos(2.0 * std::numbers::pi * rng_.uniform()));
}

Matrix::Matrix(std::int64_t rows, std::int64_t cols)
    : cols_(cols),
      data_(std::make_shared<std::vector<float>>(static_cast<std::size_t>(rows * (cols + kMargin)),
                                                 kMarginValue)),
      whole_(data_->data(), DType::kF32, {rows, cols + kMargin}) {}

Matrix Matrix::random(Seeded& seeded, std::int64_t rows, std::int64_t cols) {
    Matrix matrix(rows, cols);
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) matrix.view().row<float>(r)[c] = seeded.normal();
    }
    return matrix;
}

Matrix Matrix::poisoned(std::int64_t rows, std::int64_t cols) {
    Matrix matrix(rows, cols);
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) {
            matrix.view().row<float>(r)[c] = std::numeric_limits<float>::quiet_NaN();
        }
    }
    return matrix;
}

Matrix Matrix::copy() const {
    Matrix matrix(whole_.rows(), cols_);
    *matrix.data_ = *data_;
    return matrix;
}

bool Matrix::margin_untouched() const {
    for (std::int64_t r = 0; r < whole_.rows(); ++r) {
        for (std::int64_t c = cols_; c < whole_.cols(); ++c) {
            if (whole_.row<float>(r)[c] != kMarginValue) return false;
        }
    }
    return true;
}

StoredWeight random_weight(Seeded& seeded, DType dtype, std::int64_t rows, std::int64_t cols) {
    StoredWeight weight;
    for (std::int64_t i = 0; i < rows * (cols / block_elements(dtype)); ++i) {
        append_block(seeded, dtype, weight.bytes);
    }
    weight.source = {weight.bytes, dtype, rows, cols};
    return weight;
}

std::unique_ptr<Backend> reference() {
    return std::move(make_backend("reference", {})).value();
}

std::unique_ptr<Backend> on(cpu::IsaLevel level, int threads) {
    return std::move(make_backend("cpu", {.threads = threads, .isa = level})).value();
}

void expect_close(const Matrix& got, const Matrix& want, float relative, float absolute) {
    ASSERT_TRUE(got.view().same_shape(want.view()));
    EXPECT_TRUE(got.margin_untouched());
    int wrong = 0;
    for (std::int64_t r = 0; r < got.view().rows(); ++r) {
        for (std::int64_t c = 0; c < got.view().cols(); ++c) {
            const float limit = relative * std::abs(want.at(r, c)) + absolute;
            if (std::abs(got.at(r, c) - want.at(r, c)) <= limit) continue;
            ADD_FAILURE() << "row " << r << " column " << c << ": " << got.at(r, c) << " for "
                          << want.at(r, c);
            if (++wrong == 5) return;
        }
    }
}

void expect_same(const Matrix& got, const Matrix& want) {
    expect_close(got, want, 0.0F, 0.0F);
}

}  // namespace heddle::compute::testing
