// Ops on rows, on every kernel path, against the reference: odd lengths, strides, in place.
#include <functional>

#include <gtest/gtest.h>

#include "compute/conformance_testing.h"

namespace heddle::compute::testing {
namespace {

// Around every vector width, and two lengths of real models.
constexpr std::int64_t kLengths[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 100, 384, 2048};

class RowsConformance : public OnEveryPath {
protected:
    using Op = std::function<void(Backend&, Tensor y, ConstTensor x)>;

    // Runs op out of place and in place on both backends, on inputs spread by `spread`.
    void compare(const Op& op, float spread, float relative, float absolute) {
        SCOPED_TRACE(seeded_.trace());
        const auto tested = backend();
        const auto exact = reference();
        for (const std::int64_t n : kLengths) {
            const std::int64_t m = seeded_.between(1, 60);
            const Matrix x = Matrix::random(seeded_, m, n);
            exact->scale(x.view(), x.in(), spread);
            const Matrix want = Matrix::poisoned(m, n);
            op(*exact, want.view(), x.in());
            const Matrix got = Matrix::poisoned(m, n);
            op(*tested, got.view(), x.in());
            expect_close(got, want, relative, absolute);
            const Matrix in_place = x.copy();
            op(*tested, in_place.view(), in_place.in());
            expect_same(in_place, got);
        }
    }
};

TEST_P(RowsConformance, Activations) {
    for (const Activation kind : {Activation::kGelu, Activation::kGeluTanh, Activation::kSilu,
                                  Activation::kRelu, Activation::kTanh, Activation::kSigmoid}) {
        for (const float spread : {0.01F, 3.0F, 60.0F}) {
            compare([kind](Backend& b, Tensor y, ConstTensor x) { b.activate(y, x, kind); }, spread,
                    2e-6F, 6e-7F * std::max(1.0F, spread));
        }
    }
}

TEST_P(RowsConformance, GatedActivations) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend();
    const auto exact = reference();
    for (const std::int64_t n : kLengths) {
        const Matrix gate = Matrix::random(seeded_, 11, n);
        const Matrix up = Matrix::random(seeded_, 11, n);
        for (const Activation kind : {Activation::kSilu, Activation::kGeluTanh}) {
            const Matrix want = Matrix::poisoned(11, n);
            const Matrix got = gate.copy();
            exact->gated_activate(want.view(), gate.in(), up.in(), kind);
            tested->gated_activate(got.view(), got.in(), up.in(), kind);
            expect_close(got, want, 2e-6F, 1e-6F);
        }
    }
}

TEST_P(RowsConformance, SoftmaxAndScaling) {
    compare([](Backend& b, Tensor y, ConstTensor x) { b.softmax(y, x); }, 5.0F, 3e-6F, 1e-9F);
    compare([](Backend& b, Tensor y, ConstTensor x) { b.scale(y, x, 3.5F); }, 1.0F, 0.0F, 0.0F);
    compare([](Backend& b, Tensor y, ConstTensor x) { b.softcap(y, x, 30.0F); }, 40.0F, 2e-6F,
            1e-5F);
    compare([](Backend& b, Tensor y, ConstTensor x) { b.l2_normalize(y, x); }, 2.0F, 3e-6F, 0.0F);
}

TEST_P(RowsConformance, Addition) {
    const auto tested = backend();
    const auto exact = reference();
    for (const std::int64_t n : kLengths) {
        const Matrix a = Matrix::random(seeded_, 9, n);
        for (const std::int64_t rows : {1, 9}) {
            const Matrix b = Matrix::random(seeded_, rows, n);
            const Matrix want = Matrix::poisoned(9, n);
            const Matrix got = a.copy();
            exact->add(want.view(), a.in(), b.in());
            tested->add(got.view(), got.in(), b.in());
            expect_same(got, want);
        }
    }
}

TEST_P(RowsConformance, LayerNorm) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend();
    const auto exact = reference();
    for (const std::int64_t n : kLengths) {
        if (n == 1) continue;  // nothing but the rounding of x - x is left
        const std::int64_t m = seeded_.between(1, 60);
        const Matrix x = Matrix::random(seeded_, m, n);
        const Matrix residual = Matrix::random(seeded_, m, n);
        const Matrix weight = Matrix::random(seeded_, 1, n);
        const Matrix bias = Matrix::random(seeded_, 1, n);
        for (const bool added : {false, true}) {
            const ConstTensor other = added ? residual.in() : ConstTensor();
            const ConstTensor shift = added ? bias.vector() : ConstTensor();
            const Matrix want = Matrix::poisoned(m, n);
            const Matrix got = x.copy();
            exact->layer_norm(want.view(), x.in(), other, weight.vector(), shift, {});
            tested->layer_norm(got.view(), got.in(), other, weight.vector(), shift, {});
            expect_close(got, want, 1e-4F, 2e-5F);
        }
    }
}

TEST_P(RowsConformance, RmsNorm) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend();
    const auto exact = reference();
    for (const std::int64_t n : kLengths) {
        const std::int64_t m = seeded_.between(1, 60);
        const Matrix x = Matrix::random(seeded_, m, n);
        const Matrix weight = Matrix::random(seeded_, 1, n);
        for (const bool carried : {false, true}) {
            const Matrix residual = Matrix::random(seeded_, m, n);
            const Matrix stream = residual.copy();
            const NormOptions options{.epsilon = 1e-6F, .unit_offset = carried};
            const Matrix want = Matrix::poisoned(m, n);
            const Matrix got = Matrix::poisoned(m, n);
            exact->rms_norm(want.view(), x.in(), carried ? residual.view() : Tensor(),
                            weight.vector(), options);
            tested->rms_norm(got.view(), x.in(), carried ? stream.view() : Tensor(),
                             weight.vector(), options);
            expect_close(got, want, 3e-6F, 1e-7F);
            expect_same(stream, residual);
        }
    }
}

TEST_P(RowsConformance, RmsNormOfHeads) {
    const Matrix x = Matrix::random(seeded_, 7, 6 * 80);
    const Matrix weight = Matrix::random(seeded_, 1, 80);
    const Matrix want = Matrix::poisoned(7, 6 * 80);
    const Matrix got = x.copy();
    reference()->rms_norm(want.heads(6), x.heads(6), {}, weight.vector(), {});
    backend()->rms_norm(got.heads(6), got.heads(6), {}, weight.vector(), {});
    expect_close(got, want, 3e-6F, 1e-7F);
}

TEST_P(RowsConformance, Rope) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend();
    const auto exact = reference();
    for (const RopeStyle style : {RopeStyle::kPairs, RopeStyle::kHalves}) {
        for (const std::int64_t dim : {6, 64, 80, 128}) {
            // The last quarter of a head is left alone, as partial rotations do.
            const std::int64_t pairs = dim * 3 / 8;
            const Matrix frequencies = Matrix::random(seeded_, 1, pairs);
            std::vector<std::int32_t> at;
            for (int i = 0; i < 23; ++i) {
                at.push_back(static_cast<std::int32_t>(seeded_.between(0, 5000)));
            }
            const Integers positions(at);
            const RopeOptions options{.style = style,
                                      .inverse_frequencies = frequencies.vector(),
                                      .attention_factor = 1.25F};
            for (const std::int64_t heads : {3, 5}) {
                const Matrix x = Matrix::random(seeded_, 23, heads * dim);
                const Matrix got = x.copy();
                exact->rope(x.heads(heads), positions.in(), options);
                tested->rope(got.heads(heads), positions.in(), options);
                expect_close(got, x, 1e-6F, 2e-6F);
            }
        }
    }
}

TEST_P(RowsConformance, GatheringAndPooling) {
    const auto tested = backend();
    const auto exact = reference();
    const Matrix x = Matrix::random(seeded_, 40, 100);
    const Integers rows({39, 0, 7, 7});
    const Matrix want = Matrix::poisoned(4, 100);
    const Matrix got = Matrix::poisoned(4, 100);
    exact->gather_rows(want.view(), x.in(), rows.in());
    tested->gather_rows(got.view(), x.in(), rows.in());
    expect_same(got, want);
    EXPECT_EQ(got.at(0, 5), x.at(39, 5));

    const Integers starts({0, 1, 17, 17, 40});
    exact->mean_pool(want.view(), x.in(), starts.in());
    tested->mean_pool(got.view(), x.in(), starts.in());
    expect_close(got, want, 1e-5F, 1e-6F);
    EXPECT_EQ(got.at(2, 50), 0.0F);
}

TEST_P(RowsConformance, EmbeddingOfEveryType) {
    const auto tested = backend();
    const auto exact = reference();
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0,
                              DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
        const StoredWeight stored = random_weight(seeded_, dtype, 30, 256);
        const auto table = std::move(tested->prepare_embedding(stored.source)).value();
        const auto linear =
            std::move(exact->prepare_linear(stored.source, Arithmetic::kNative)).value();
        const Integers ids({29, 3, 3, 0});
        const Matrix got = Matrix::poisoned(4, 256);
        tested->embedding(got.view(), *table, ids.in(), {.scale = 2.0F});
        tested->embedding(got.view(), *table, ids.in(), {.accumulate = true});
        // The same rows through a product with the identity.
        const Matrix identity = Matrix::poisoned(256, 256);
        for (int i = 0; i < 256 * 256; ++i) {
            identity.view().row<float>(i / 256)[i % 256] = i / 256 == i % 256 ? 3.0F : 0.0F;
        }
        const Matrix columns = Matrix::poisoned(256, 30);
        exact->linear(columns.view(), identity.in(), *linear, {});
        const Matrix want = Matrix::poisoned(4, 256);
        for (int c = 0; c < 256; ++c) {
            want.view().row<float>(0)[c] = columns.at(c, 29);
            want.view().row<float>(1)[c] = columns.at(c, 3);
            want.view().row<float>(2)[c] = columns.at(c, 3);
            want.view().row<float>(3)[c] = columns.at(c, 0);
        }
        expect_close(got, want, 1e-6F, 1e-9F);
    }
}

HEDDLE_ON_EVERY_PATH(RowsConformance);

}  // namespace
}  // namespace heddle::compute::testing
