// Matrix products and the choice of tokens against their definitions.
#include <cuda_bf16.h>

#include "compute/cuda/device/kernels.h"
#include "compute/cuda/device/matrix_products.h"
#include "device_testing.h"
#include "engine/sampler.h"

namespace heddle::compute::cuda {
namespace {

using testing::Bf16Array;
using testing::expect_near;
using testing::OnDevice;
using testing::random_floats;

// X W^T in double.
std::vector<float> exact(const std::vector<float>& x, const std::vector<float>& w, int m, int n,
                         int k) {
    std::vector<float> y(static_cast<std::size_t>(m) * n);
    for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
            double sum = 0;
            for (int d = 0; d < k; ++d) {
                sum += static_cast<double>(x[static_cast<std::size_t>(i) * k + d]) *
                       w[static_cast<std::size_t>(j) * k + d];
            }
            y[static_cast<std::size_t>(i) * n + j] = static_cast<float>(sum);
        }
    }
    return y;
}

class CudaProducts : public testing::OnHopper {};

// All row counts, widths with fewer chunks than warps and with many tiles a block.
TEST_F(CudaProducts, SkinnyStoresAddsAndStoresFloats) {
    SCOPED_TRACE(dice_.trace());
    struct Size {
        int n, k;
    };
    for (const Size size : {Size{16, 64}, Size{48, 256}, Size{6'144, 896}, Size{512, 4'160}}) {
        for (const int m : {1, 2, 5, 8, 9, 16}) {
            const auto x = Bf16Array::random(dice_, m * size.k);
            const auto w = Bf16Array::random(dice_, size.n * size.k, 0.05F);
            const auto want = exact(x.host(), w.host(), m, size.n, size.k);
            SkinnyCall call;
            call.x = x.device<bf16>();
            call.weight = w.device<bf16>();
            call.m = m;
            call.n = size.n;
            call.k = size.k;
            const auto stored = Bf16Array::poisoned(m * size.n);
            call.y = stored.device<bf16>();
            skinny_product(call, nullptr);
            const std::string what =
                std::to_string(m) + " × " + std::to_string(size.n) + " × " + std::to_string(size.k);
            expect_near(stored.read(), want, 4e-3, "stored " + what);
            const auto sum = Bf16Array::random(dice_, m * size.n);
            std::vector<float> both = want;
            for (std::size_t i = 0; i < both.size(); ++i) both[i] += sum.host()[i];
            call.y = sum.device<bf16>();
            call.end = SkinnyEnd::kAdd;
            skinny_product(call, nullptr);
            expect_near(sum.read(), both, 6e-3, "added " + what);
            const OnDevice<float> floats(std::vector<float>(want.size(), NAN));
            call.y = floats.as();
            call.end = SkinnyEnd::kStoreFloat;
            skinny_product(call, nullptr);
            expect_near(floats.read(), want, 1e-5, "floats " + what);
        }
    }
}

TEST_F(CudaProducts, SkinnyNormsAndActivates) {
    SCOPED_TRACE(dice_.trace());
    constexpr int kN = 1'024;
    constexpr int kK = 2'048;
    for (const int m : {1, 3, 4}) {
        ASSERT_TRUE(skinny_norm_fits(m, kK));
        const auto x = Bf16Array::random(dice_, m * kK, 3);
        const auto w = Bf16Array::random(dice_, kN * kK, 0.05F);
        const auto weight = random_floats(dice_, kK, 0.2F, 1);
        const OnDevice<float> norm(weight);
        const auto y = Bf16Array::poisoned(m * kN / 2);
        SkinnyCall call{y.device<bf16>(),
                        x.device<bf16>(),
                        w.device<bf16>(),
                        m,
                        kN,
                        kK,
                        SkinnyEnd::kActivate,
                        2,
                        norm.as(),
                        1e-5F};
        skinny_product(call, nullptr);
        std::vector<float> normed = x.host();
        for (int i = 0; i < m; ++i) {
            double sum = 0;
            for (int d = 0; d < kK; ++d) sum += std::pow(normed[i * kK + d], 2);
            const double factor = 1 / std::sqrt(sum / kK + 1e-5);
            for (int d = 0; d < kK; ++d) {
                normed[i * kK + d] = static_cast<float>(normed[i * kK + d] * factor * weight[d]);
            }
        }
        const auto both = exact(normed, w.host(), m, kN, kK);
        std::vector<float> want;
        for (int i = 0; i < m * kN / 2; ++i) {
            const std::size_t at = static_cast<std::size_t>(i / 8) * 16 + i % 8;
            want.push_back(both[at] / (1 + std::exp(-both[at])) * both[at + 8]);
        }
        expect_near(y.read(), want, 1e-2, "rows " + std::to_string(m));
    }
}

TEST_F(CudaProducts, LibraryStoresAddsAndTunes) {
    SCOPED_TRACE(dice_.trace());
    MatrixProducts products;
    for (const ProductShape shape : {ProductShape{33, 256, 512}, ProductShape{100, 1'000, 192},
                                     ProductShape{7, 97, 40, true}}) {
        const auto x = Bf16Array::random(dice_, shape.m * shape.k);
        const auto w = Bf16Array::random(dice_, shape.n * shape.k, 0.05F);
        const auto want = exact(x.host(), w.host(), shape.m, shape.n, shape.k);
        const bf16* const weights[] = {w.device<bf16>()};
        if (shape.float_output) {
            const OnDevice<float> y(std::vector<float>(want.size(), NAN));
            products.run(y.as(), x.device<bf16>(), weights[0], shape, false, nullptr);
            expect_near(y.read(), want, 1e-5, "floats");
            continue;
        }
        const auto y = Bf16Array::random(dice_, shape.m * shape.n);
        std::vector<float> both = want;
        for (std::size_t i = 0; i < both.size(); ++i) both[i] += y.host()[i];
        products.run(y.device<bf16>(), x.device<bf16>(), weights[0], shape, true, nullptr);
        expect_near(y.read(), both, 5e-3, "added");
        const auto tuned = Bf16Array::poisoned(shape.m * shape.n);
        products.tune(tuned.device<bf16>(), x.device<bf16>(), weights, shape, nullptr);
        products.run(tuned.device<bf16>(), x.device<bf16>(), weights[0], shape, false, nullptr);
        expect_near(tuned.read(), want, 5e-3, "tuned");
    }
}

class CudaChoice : public testing::OnHopper {
protected:
    // Tokens that the device and the host's sampler choose for the same rows.
    struct Pair {
        std::vector<std::int32_t> device, host, kept;
    };
    Pair choose(const std::vector<float>& logits, int vocabulary, int tokens,
                const engine::SamplingParams& params) {
        const int rows = static_cast<int>(logits.size()) / vocabulary;
        std::vector<ChoiceRow> choices;
        Pair pair;
        engine::Sampler sampler;
        for (int i = 0; i < rows; ++i) {
            const engine::SamplerState state(params, static_cast<std::uint64_t>(i), {}, {});
            choices.push_back({i, params.top_k, params.temperature, params.top_p, params.min_p,
                               static_cast<float>(state.chance())});
            std::vector<float> row(logits.begin() + i * vocabulary,
                                   logits.begin() + i * vocabulary + tokens);
            const auto sample = sampler.sample(row, state);
            pair.host.push_back(sample ? sample->token : -1);
        }
        const OnDevice<float> logits_on(logits);
        const OnDevice<ChoiceRow> choices_on(choices);
        const OnDevice<std::int32_t> chosen(std::vector<std::int32_t>(choices.size(), -7));
        const OnDevice<std::int32_t> kept(std::vector<std::int32_t>(choices.size(), -7));
        choose_tokens(chosen.as(), kept.as(), logits_on.as(), choices_on.as(), rows, vocabulary,
                      tokens, nullptr);
        pair.device = chosen.read();
        pair.kept = kept.read();
        return pair;
    }
};

TEST_F(CudaChoice, GreedyTakesTheFirstOfTheHighestFinite) {
    constexpr int kVocabulary = 5'000;
    std::vector<float> logits(4 * kVocabulary, -1);
    logits[17] = logits[3'000] = 2;
    logits[kVocabulary + 4'999] = 9;  // beyond the tokens
    logits[kVocabulary + 20] = 1;
    for (int i = 0; i < kVocabulary; ++i) logits[2 * kVocabulary + i] = NAN;
    logits[3 * kVocabulary + 5] = INFINITY;
    logits[3 * kVocabulary + 6] = 0;
    const Pair pair = choose(logits, kVocabulary, 4'990, {.temperature = 0});
    EXPECT_EQ(pair.device, (std::vector<std::int32_t>{17, 20, -1, 6}));
    EXPECT_EQ(pair.kept, pair.device);
}

// Draws agree with the host's but where fp32 and double sums part ways.
TEST_F(CudaChoice, DrawsLikeTheHost) {
    SCOPED_TRACE(dice_.trace());
    constexpr int kVocabulary = 32'000;
    constexpr int kRows = 200;
    const auto logits = random_floats(dice_, kRows * kVocabulary, 3);
    std::vector<engine::SamplingParams> cases(6);
    cases[0].temperature = 0.8F;
    cases[1].top_k = 40;
    cases[2].top_p = 0.9F;
    cases[3].min_p = 0.05F;
    cases[4].top_k = 50;
    cases[4].top_p = 0.7F;
    cases[4].temperature = 1.3F;
    cases[5].top_p = 0;
    for (const auto& params : cases) {
        const Pair pair = choose(logits, kVocabulary, kVocabulary, params);
        int same = 0;
        for (int i = 0; i < kRows; ++i) same += pair.device[i] == pair.host[i] ? 1 : 0;
        EXPECT_GE(same, kRows * 98 / 100) << "temperature " << params.temperature << ", top_k "
                                          << params.top_k << ", top_p " << params.top_p;
    }
}

}  // namespace
}  // namespace heddle::compute::cuda
