#include "device_testing.h"

#include <cstdlib>

#include "compute/cuda/device/kernels.h"

namespace heddle::compute::cuda::testing {
namespace {

std::uint64_t pick_seed() {
    if (const char* text = std::getenv("HEDDLE_TEST_SEED"); text != nullptr) {
        return std::strtoull(text, nullptr, 10);
    }
    return std::random_device()();
}

}  // namespace

Dice::Dice() : seed_(pick_seed()), engine_(seed_) {}

Bf16Array::Bf16Array(std::vector<float> values) : values_(std::move(values)) {
    std::vector<std::uint16_t> bits;
    for (float& value : values_) {
        bits.push_back(f32_to_bf16(value));
        value = bf16_to_f32(bits.back());
    }
    bits_ = std::make_unique<OnDevice<std::uint16_t>>(bits);
}

Bf16Array Bf16Array::random(Dice& dice, std::int64_t count, float deviation) {
    return Bf16Array(random_floats(dice, count, deviation));
}

Bf16Array Bf16Array::poisoned(std::int64_t count) {
    return Bf16Array(std::vector<float>(static_cast<std::size_t>(count),
                                        std::numeric_limits<float>::quiet_NaN()));
}

std::vector<float> Bf16Array::read() const {
    std::vector<float> values;
    for (const std::uint16_t bits : bits_->read()) values.push_back(bf16_to_f32(bits));
    return values;
}

std::vector<float> random_floats(Dice& dice, std::int64_t count, float deviation, float mean) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = mean + deviation * dice.normal();
    return values;
}

std::unique_ptr<Backend> reference() {
    return std::move(*make_backend("reference", {}));
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want, double relative,
                 const std::string& what) {
    ASSERT_EQ(got.size(), want.size()) << what;
    double error = 0;
    double size = 0;
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double off = static_cast<double>(got[i]) - want[i];
        ASSERT_TRUE(std::isfinite(off)) << what << ": element " << i << " is " << got[i];
        error += off * off;
        size += static_cast<double>(want[i]) * want[i];
        worst = std::max(worst, std::abs(off));
    }
    EXPECT_LE(std::sqrt(error), relative * std::sqrt(size)) << what;
    const double typical = std::sqrt(size / static_cast<double>(want.size()));
    EXPECT_LE(worst, 25 * relative * typical + 1e-6) << what;
}

void OnHopper::SetUp() {
    int count = 0;
    cudaDeviceProp properties{};
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0 ||
        cudaGetDeviceProperties(&properties, 0) != cudaSuccess || properties.major != 9) {
        GTEST_SKIP() << "needs a Hopper GPU";
    }
    prepare_attention();
    prepare_skinny();
}

}  // namespace heddle::compute::cuda::testing
