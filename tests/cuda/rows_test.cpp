// Every kernel that goes through rows, against the fp32 reference.
#include <cuda_bf16.h>

#include "compute/cuda/device/kernels.h"
#include "device_testing.h"

namespace heddle::compute::cuda {
namespace {

using testing::Bf16Array;
using testing::expect_near;
using testing::OnDevice;
using testing::random_floats;
using testing::view;

class CudaRows : public testing::OnHopper {};

// residual += update, y = norm(residual), for widths that use one and several pieces a thread.
TEST_F(CudaRows, NormWithUpdate) {
    SCOPED_TRACE(dice_.trace());
    const auto ref = testing::reference();
    for (const int dim : {64, 896, 2048, 5120, 16'384}) {
        constexpr int kRows = 5;
        const auto residual = Bf16Array::random(dice_, kRows * dim);
        const auto update = Bf16Array::random(dice_, kRows * dim);
        const auto weight = random_floats(dice_, dim, 0.2F, 1);
        const OnDevice<float> weight_on(weight);
        const auto y = Bf16Array::poisoned(kRows * dim);
        add_norm({y.device<bf16>(), residual.device<bf16>(), update.device<bf16>(), nullptr,
                  weight_on.as(), kRows, dim, 1e-5F},
                 nullptr);
        std::vector<float> stream = residual.host();
        std::vector<float> x = update.host();
        std::vector<float> want(stream.size());
        ref->rms_norm(view(want, kRows), view(x, kRows), view(stream, kRows),
                      ConstTensor(weight.data(), DType::kF32, {dim}), {.epsilon = 1e-5F});
        expect_near(residual.read(), stream, 4e-3, "residual " + std::to_string(dim));
        expect_near(y.read(), want, 6e-3, "norm " + std::to_string(dim));
    }
}

// Gathered rows leave the residual as it was.
TEST_F(CudaRows, NormOfSomeRows) {
    SCOPED_TRACE(dice_.trace());
    constexpr int kDim = 512;
    const auto residual = Bf16Array::random(dice_, 7 * kDim);
    const std::vector<float> ones(kDim, 1.0F);
    const OnDevice<float> weight(ones);
    const OnDevice<std::int32_t> rows({6, 2});
    const auto y = Bf16Array::poisoned(2 * kDim);
    add_norm({y.device<bf16>(), residual.device<bf16>(), nullptr, rows.as(), weight.as(), 2, kDim,
              1e-6F},
             nullptr);
    const auto got = y.read();
    for (const int i : {0, 1}) {
        const float* from = residual.host().data() + (i == 0 ? 6 : 2) * kDim;
        double sum = 0;
        for (int d = 0; d < kDim; ++d) sum += static_cast<double>(from[d]) * from[d];
        const double factor = 1 / std::sqrt(sum / kDim + 1e-6);
        std::vector<float> want;
        for (int d = 0; d < kDim; ++d) want.push_back(static_cast<float>(from[d] * factor));
        expect_near({got.begin() + i * kDim, got.begin() + (i + 1) * kDim}, want, 5e-3, "row");
    }
    EXPECT_EQ(residual.read(), residual.host());
}

TEST_F(CudaRows, EmbeddingTakesKeptTokens) {
    SCOPED_TRACE(dice_.trace());
    constexpr int kDim = 256;
    const auto table = Bf16Array::random(dice_, 10 * kDim);
    const OnDevice<std::int32_t> tokens({3, -2, 9});
    const OnDevice<std::int32_t> kept({1, 7});
    const auto y = Bf16Array::poisoned(3 * kDim);
    embed(y.device<bf16>(), table.device<bf16>(), tokens.as(), kept.as(), 3, kDim, 2, nullptr);
    std::vector<float> want;
    for (const int token : {3, 7, 9}) {
        for (int d = 0; d < kDim; ++d) want.push_back(2 * table.host()[token * kDim + d]);
    }
    EXPECT_EQ(y.read(), want);
}

// Gate and up in turns of eight.
TEST_F(CudaRows, GatedActivation) {
    SCOPED_TRACE(dice_.trace());
    const auto ref = testing::reference();
    constexpr int kRows = 3;
    constexpr int kDim = 1'336;
    for (const Activation kind : {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu}) {
        const auto both = Bf16Array::random(dice_, kRows * 2 * kDim);
        const auto y = Bf16Array::poisoned(kRows * kDim);
        gated_activate(y.device<bf16>(), both.device<bf16>(), kRows, kDim, static_cast<int>(kind),
                       nullptr);
        std::vector<float> gate, up;
        for (int i = 0; i < kRows * kDim; ++i) {
            const std::size_t at = static_cast<std::size_t>(i / 8) * 16 + i % 8;
            gate.push_back(both.host()[at]);
            up.push_back(both.host()[at + 8]);
        }
        std::vector<float> want(gate.size());
        ref->gated_activate(view(want, kRows), view(gate, kRows), view(up, kRows), kind);
        expect_near(y.read(), want, 4e-3, "activation");
    }
}

struct RopeCase {
    int heads, kv_heads, dim, rotary;
    bool pairs, bias, norms;
};

class Rope {
public:
    Rope(testing::Dice& dice, const RopeCase& shape)
        : c(shape),
          width((shape.heads + 2 * shape.kv_heads) * shape.dim),
          qkv(Bf16Array::random(dice, kRows * width)),
          keys(Bf16Array::poisoned(kBlocks * shape.kv_heads * kBlockTokens * shape.dim)),
          values(Bf16Array::poisoned(kBlocks * shape.kv_heads * kBlockTokens * shape.dim)),
          bias(random_floats(dice, width)),
          query_norm(random_floats(dice, shape.dim, 0.2F, 1)),
          key_norm(random_floats(dice, shape.dim, 0.2F, 1)) {
        for (int i = 0; i < shape.rotary / 2; ++i) {
            frequencies.push_back(static_cast<float>(std::pow(10'000.0, -2.0 * i / shape.rotary)));
        }
    }

    void run() {
        const OnDevice<float> on_bias(bias), on_query(query_norm), on_key(key_norm),
            on_frequencies(frequencies);
        const OnDevice<std::int32_t> on_positions(positions), on_slots(slots);
        const int half = c.rotary / 2;
        const OnDevice<float2> turns(
            std::vector<float2>(static_cast<std::size_t>(kPositions * half)));
        fill_turns(turns.as(), on_frequencies.as(), kPositions, half, 1.1F, nullptr);
        RopeCall call;
        call.qkv = qkv.device<bf16>();
        call.bias = c.bias ? on_bias.as() : nullptr;
        call.query_norm = c.norms ? on_query.as() : nullptr;
        call.key_norm = c.norms ? on_key.as() : nullptr;
        call.turns = turns.as();
        call.positions = on_positions.as();
        call.slots = on_slots.as();
        call.keys = keys.device<bf16>();
        call.values = values.device<bf16>();
        call.rows = kRows;
        call.heads = c.heads;
        call.kv_heads = c.kv_heads;
        call.head_dim = c.dim;
        call.rotary_dim = c.rotary;
        call.block_tokens = kBlockTokens;
        call.pairs = c.pairs;
        call.epsilon = 1e-6F;
        rope_and_keep(call, nullptr);
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }

    // The same by the reference, [rows, width].
    std::vector<float> expected() {
        const auto ref = testing::reference();
        std::vector<float> x = qkv.host();
        for (int i = 0; c.bias && i < kRows * width; ++i) x[i] += bias[i % width];
        const Tensor whole = view(x, kRows);
        const Tensor queries = whole.columns(0, c.heads * c.dim).split_columns(c.heads);
        const Tensor keys_in =
            whole.columns(c.heads * c.dim, c.kv_heads * c.dim).split_columns(c.kv_heads);
        const compute::NormOptions norm{.epsilon = 1e-6F};
        if (c.norms) {
            ref->rms_norm(queries, queries, {}, {query_norm.data(), DType::kF32, {c.dim}}, norm);
            ref->rms_norm(keys_in, keys_in, {}, {key_norm.data(), DType::kF32, {c.dim}}, norm);
        }
        const RopeOptions options{
            .style = c.pairs ? RopeStyle::kPairs : RopeStyle::kHalves,
            .inverse_frequencies = {frequencies.data(), DType::kF32, {c.rotary / 2}},
            .attention_factor = 1.1F};
        const ConstTensor at(positions.data(), DType::kI32, {kRows});
        ref->rope(queries, at, options);
        ref->rope(keys_in, at, options);
        return x;
    }

    static constexpr int kRows = 4;
    static constexpr int kBlocks = 6;
    static constexpr int kBlockTokens = 16;
    static constexpr int kPositions = 4'096;

    RopeCase c;
    int width;
    Bf16Array qkv, keys, values;
    std::vector<float> bias, query_norm, key_norm, frequencies;
    std::vector<std::int32_t> positions{0, 17, 4'095, 300};
    std::vector<std::int32_t> slots{3, 80, -1, 47};
};

TEST_F(CudaRows, RopeNormsAndKeeps) {
    SCOPED_TRACE(dice_.trace());
    for (const RopeCase& shape : {RopeCase{32, 4, 64, 64, false, false, false},
                                  RopeCase{32, 8, 128, 128, true, false, false},
                                  RopeCase{12, 2, 128, 128, false, true, false},
                                  RopeCase{16, 8, 128, 128, false, false, true},
                                  RopeCase{8, 4, 256, 256, false, false, true},
                                  RopeCase{32, 32, 96, 64, false, false, false}}) {
        Rope rope(dice_, shape);
        const std::vector<float> want = rope.expected();
        rope.run();
        const std::vector<float> got = rope.qkv.read();
        const std::vector<float> keys = rope.keys.read();
        const std::vector<float> values = rope.values.read();
        std::vector<float> queries, queries_want, kept, kept_want;
        std::size_t written = 0;
        for (const float key : keys) written += std::isnan(key) ? 0 : 1;
        EXPECT_EQ(written, static_cast<std::size_t>(3 * shape.kv_heads * shape.dim));
        const int query_width = shape.heads * shape.dim;
        const int kv_width = shape.kv_heads * shape.dim;
        for (int row = 0; row < Rope::kRows; ++row) {
            for (int i = 0; i < query_width; ++i) {
                queries.push_back(got[row * rope.width + i]);
                queries_want.push_back(want[row * rope.width + i]);
            }
            const int slot = rope.slots[static_cast<std::size_t>(row)];
            for (int i = 0; slot >= 0 && i < kv_width; ++i) {
                const int at =
                    ((slot / 16 * shape.kv_heads + i / shape.dim) * 16 + slot % 16) * shape.dim +
                    i % shape.dim;
                kept.push_back(keys[at]);
                kept_want.push_back(want[row * rope.width + query_width + i]);
                kept.push_back(values[at]);
                kept_want.push_back(want[row * rope.width + query_width + kv_width + i]);
            }
        }
        expect_near(queries, queries_want, 6e-3, "queries");
        expect_near(kept, kept_want, 6e-3, "keys and values");
    }
}

}  // namespace
}  // namespace heddle::compute::cuda
