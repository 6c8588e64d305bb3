// Attention kernels against the fp32 reference: head sizes, sharing of heads, windows, softcaps,
// contexts around the edges of tiles and blocks, and every way of splitting.
#include <cuda_bf16.h>

#include <algorithm>

#include "compute/cuda/device/kernels.h"
#include "device_testing.h"

namespace heddle::compute::cuda {
namespace {

using testing::Bf16Array;
using testing::expect_near;
using testing::OnDevice;
using testing::view;

struct Shape {
    int heads, kv_heads, dim;
    int block_tokens = 64;
    int window = 0;
    float softcap = 0;
};

// Some sequences with their keys and values, scattered over a cache on both sides.
class Scene {
public:
    // rows: new tokens of each sequence, the last ones of its context.
    Scene(testing::Dice& dice, const Shape& shape, std::vector<std::int32_t> contexts,
          const std::vector<std::int32_t>& rows)
        : s(shape), contexts_(std::move(contexts)), reference_(testing::reference()) {
        for (const std::int32_t count : rows) starts_.push_back(starts_.back() + count);
        place(dice);
        const int row_width = (s.heads + 2 * s.kv_heads) * s.dim;
        qkv_ = std::make_unique<Bf16Array>(Bf16Array::random(dice, starts_.back() * row_width));
    }

    AttentionCall call(bf16* out) const {
        AttentionCall c;
        c.out = out;
        c.queries = qkv_->device<bf16>();
        c.keys = keys_->device<bf16>();
        c.values = values_->device<bf16>();
        c.query_starts = starts_on_->as();
        c.contexts = contexts_on_->as();
        c.tables = tables_on_->as();
        c.table_width = width_on_->as();
        c.heads = s.heads;
        c.kv_heads = s.kv_heads;
        c.head_dim = s.dim;
        c.query_stride = (s.heads + 2 * s.kv_heads) * s.dim;
        c.block_tokens = s.block_tokens;
        c.window = s.window;
        c.scale = 1 / std::sqrt(static_cast<float>(s.dim));
        c.softcap = s.softcap;
        return c;
    }

    std::vector<float> expected() {
        const auto rows = static_cast<std::int64_t>(starts_.back());
        const int query_width = s.heads * s.dim;
        std::vector<float> queries;
        const int stride = (s.heads + 2 * s.kv_heads) * s.dim;
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto from = qkv_->host().begin() + row * stride;
            queries.insert(queries.end(), from, from + query_width);
        }
        std::vector<float> out(queries.size());
        const auto sequences = static_cast<std::int64_t>(contexts_.size());
        PagedBatch batch;
        batch.query_starts = {starts_.data(), DType::kI32, {sequences + 1}};
        batch.context_lengths = {contexts_.data(), DType::kI32, {sequences}};
        batch.block_tables = {tables_.data(), DType::kI32, {sequences, width_}};
        batch.query_rows_max = static_cast<std::int32_t>(rows);
        batch.context_tokens_max = *std::ranges::max_element(contexts_);
        reference_->paged_attention(view(out, rows).split_columns(s.heads),
                                    view(queries, rows).split_columns(s.heads), *cache_, 0, batch,
                                    {.scale = 1 / std::sqrt(static_cast<float>(s.dim)),
                                     .sliding_window = s.window,
                                     .logit_softcap = s.softcap});
        return out;
    }

    // Where the last token of each sequence lies.
    [[nodiscard]] std::vector<std::int32_t> last_slots() const {
        std::vector<std::int32_t> slots;
        for (std::size_t i = 0; i < contexts_.size(); ++i) {
            const std::int32_t position = contexts_[i] - 1;
            const std::int32_t block =
                tables_[i * static_cast<std::size_t>(width_) + position / s.block_tokens];
            slots.push_back(block * s.block_tokens + position % s.block_tokens);
        }
        return slots;
    }
    void complete(RopeCall& rope) const {
        rope.qkv = qkv_->device<bf16>();
        rope.keys = keys_->device<bf16>();
        rope.values = values_->device<bf16>();
        rope.heads = s.heads;
        rope.kv_heads = s.kv_heads;
        rope.head_dim = s.dim;
        rope.block_tokens = s.block_tokens;
    }
    [[nodiscard]] std::vector<float> keys() const { return keys_->read(); }
    [[nodiscard]] std::int64_t out_elements() const { return starts_.back() * s.heads * s.dim; }
    [[nodiscard]] const std::vector<std::int32_t>& starts() const { return starts_; }
    [[nodiscard]] int sequences() const { return static_cast<int>(contexts_.size()); }

private:
    void place(testing::Dice& dice) {
        std::vector<std::int32_t> free;
        for (const std::int32_t context : contexts_) {
            width_ =
                std::max<std::int64_t>(width_, (context + s.block_tokens - 1) / s.block_tokens);
        }
        const std::int64_t blocks = width_ * static_cast<std::int64_t>(contexts_.size()) + 3;
        for (std::int32_t b = 0; b < blocks; ++b) free.push_back(b);
        std::ranges::shuffle(free, dice.engine());
        const std::int64_t elements = blocks * s.kv_heads * s.block_tokens * s.dim;
        keys_ = std::make_unique<Bf16Array>(Bf16Array::random(dice, elements));
        values_ = std::make_unique<Bf16Array>(Bf16Array::random(dice, elements));
        cache_ = std::move(*reference_->make_kv_cache({.layers = 1,
                                                       .blocks = blocks,
                                                       .block_tokens = s.block_tokens,
                                                       .kv_heads = s.kv_heads,
                                                       .head_dim = s.dim}));
        for (const std::int32_t context : contexts_) {
            for (std::int64_t b = 0; b < width_; ++b) {
                tables_.push_back(free.back());
                if (b * s.block_tokens < context) free.pop_back();
            }
        }
        copy_to_reference(blocks);
        tables_on_ = std::make_unique<OnDevice<std::int32_t>>(tables_);
        contexts_on_ = std::make_unique<OnDevice<std::int32_t>>(contexts_);
        starts_on_ = nullptr;
        width_on_ = std::make_unique<OnDevice<std::int32_t>>(
            std::vector<std::int32_t>{static_cast<std::int32_t>(width_)});
        starts_on_ = std::make_unique<OnDevice<std::int32_t>>(starts_);
    }

    // The device's [block, kv_head, offset, dim] as rows of slots.
    void copy_to_reference(std::int64_t blocks) {
        const std::int64_t slots = blocks * s.block_tokens;
        std::vector<float> keys, values;
        std::vector<std::int32_t> ids;
        for (std::int64_t slot = 0; slot < slots; ++slot) {
            ids.push_back(static_cast<std::int32_t>(slot));
            for (int head = 0; head < s.kv_heads; ++head) {
                const std::int64_t at =
                    ((slot / s.block_tokens * s.kv_heads + head) * s.block_tokens +
                     slot % s.block_tokens) *
                    s.dim;
                keys.insert(keys.end(), keys_->host().begin() + at,
                            keys_->host().begin() + at + s.dim);
                values.insert(values.end(), values_->host().begin() + at,
                              values_->host().begin() + at + s.dim);
            }
        }
        reference_->write_kv(*cache_, 0, view(keys, slots).split_columns(s.kv_heads),
                             view(values, slots).split_columns(s.kv_heads),
                             {ids.data(), DType::kI32, {slots}});
    }

    Shape s;
    std::vector<std::int32_t> contexts_, starts_{0}, tables_;
    std::int64_t width_ = 0;
    std::unique_ptr<Backend> reference_;
    std::unique_ptr<KvCache> cache_;
    std::unique_ptr<Bf16Array> keys_, values_, qkv_;
    std::unique_ptr<OnDevice<std::int32_t>> tables_on_, contexts_on_, starts_on_, width_on_;
};

const std::vector<Shape> kShapes = {
    {32, 4, 64},
    {8, 8, 128, 16},
    {16, 4, 128, 32},
    {14, 2, 64},
    {8, 4, 256},
    {6, 6, 96, 16},
    {16, 1, 128, 256},
    {16, 4, 128, 64, 100},
    {8, 4, 256, 64, 0, 50},
    {8, 2, 128, 64, 70, 20},
};

// Cosines and sines of any angles.
std::vector<float2> rotations(int count) {
    std::vector<float2> turns(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        turns[static_cast<std::size_t>(i)] = {std::cos(0.37F * static_cast<float>(i)),
                                              std::sin(0.37F * static_cast<float>(i))};
    }
    return turns;
}

class CudaAttention : public testing::OnHopper {};

TEST_F(CudaAttention, Decode) {
    SCOPED_TRACE(dice_.trace());
    for (const Shape& shape : kShapes) {
        std::vector<std::int32_t> contexts = {1, 16, 63, 64, 65, 129, 700, 2'049};
        contexts.push_back(static_cast<std::int32_t>(dice_.between(1, 1'500)));
        Scene scene(dice_, shape, contexts, std::vector<std::int32_t>(contexts.size(), 1));
        const std::vector<float> want = scene.expected();
        std::vector<std::int32_t> list;
        for (int i = scene.sequences() - 1; i >= 0; --i) list.push_back(i);
        const OnDevice<std::int32_t> list_on(list);
        for (const int splits : {1, 3, 32}) {
            const auto out = Bf16Array::poisoned(scene.out_elements());
            const std::size_t places = contexts.size() * static_cast<std::size_t>(shape.heads);
            const OnDevice<float> partials(std::vector<float>(
                places * static_cast<std::size_t>(splits * (shape.dim + 2)), NAN));
            const OnDevice<std::int32_t> arrivals(std::vector<std::int32_t>(places, 0));
            // Twice: the first run leaves the counters as it found them.
            for (int round = 0; round < 2; ++round) {
                attend_decode(scene.call(out.device<bf16>()), list_on.as(), scene.sequences(),
                              splits, {partials.as(), arrivals.as()}, nullptr, nullptr);
            }
            expect_near(
                out.read(), want, 8e-3,
                "heads of " + std::to_string(shape.dim) + ", splits " + std::to_string(splits));
        }
    }
}

// Rotating on the way gives what rope_and_keep() before gives, outputs and cache alike.
TEST_F(CudaAttention, DecodeRotatesOnTheWay) {
    SCOPED_TRACE(dice_.trace());
    for (Shape shape : kShapes) {
        const std::vector<std::int32_t> contexts = {1, 64, 65, 700, 1'111};
        const std::vector<std::int32_t> rows(contexts.size(), 1);
        Scene scene(dice_, shape, contexts, rows);
        const OnDevice<std::int32_t> list(std::vector<std::int32_t>{0, 1, 2, 3, 4});
        const OnDevice<float> query_norm(testing::random_floats(dice_, shape.dim, 0.2F, 1));
        const OnDevice<float> key_norm(testing::random_floats(dice_, shape.dim, 0.2F, 1));
        const OnDevice<float> bias(
            testing::random_floats(dice_, (shape.heads + 2 * shape.kv_heads) * shape.dim, 0.2F));
        const OnDevice<float2> turns(rotations(2'048 * shape.dim / 2));
        const OnDevice<std::int32_t> positions(std::vector<std::int32_t>{0, 63, 64, 699, 1'110});
        const OnDevice<std::int32_t> slots(scene.last_slots());
        RopeCall rope;
        rope.bias = shape.window == 0 ? bias.as() : nullptr;
        rope.query_norm = shape.softcap == 0 ? query_norm.as() : nullptr;
        rope.key_norm = shape.softcap == 0 ? key_norm.as() : nullptr;
        rope.turns = turns.as();
        rope.positions = positions.as();
        rope.slots = slots.as();
        rope.rows = 5;
        rope.rotary_dim = shape.dim;
        rope.pairs = shape.heads == 32;
        rope.epsilon = 1e-6F;
        scene.complete(rope);
        const int splits = 7;
        const OnDevice<float> partials(std::vector<float>(
            static_cast<std::size_t>(5 * shape.heads * splits * (shape.dim + 2)), NAN));
        const OnDevice<std::int32_t> arrivals(std::vector<std::int32_t>(5 * 32, 0));
        const SplitSpace space{partials.as(), arrivals.as()};
        const auto fused = Bf16Array::poisoned(scene.out_elements());
        attend_decode(scene.call(fused.device<bf16>()), list.as(), 5, splits, space, &rope,
                      nullptr);
        const std::vector<float> fused_keys = scene.keys();
        const auto plain = Bf16Array::poisoned(scene.out_elements());
        rope_and_keep(rope, nullptr);
        attend_decode(scene.call(plain.device<bf16>()), list.as(), 5, splits, space, nullptr,
                      nullptr);
        expect_near(fused.read(), plain.read(), 4e-3, "rotated " + std::to_string(shape.dim));
        // A key may round to its neighbour: the two sum its norm in another order.
        expect_near(fused_keys, scene.keys(), 2e-3, "keys " + std::to_string(shape.dim));
    }
}

TEST_F(CudaAttention, Prefill) {
    SCOPED_TRACE(dice_.trace());
    for (const Shape& shape : kShapes) {
        const std::vector<std::int32_t> contexts = {
            2, 64, 65, 300, 200, static_cast<std::int32_t>(dice_.between(130, 900))};
        const std::vector<std::int32_t> rows = {2, 64, 65, 17, 200, 130};
        Scene scene(dice_, shape, contexts, rows);
        const std::vector<float> want = scene.expected();
        const int tile = prefill_tile_tokens(shape.heads, shape.kv_heads);
        std::vector<std::int32_t> tiles;
        for (int i = 0; i < scene.sequences(); ++i) {
            for (int first = 0; first < rows[static_cast<std::size_t>(i)]; first += tile) {
                tiles.push_back(i);
                tiles.push_back(first);
            }
        }
        const OnDevice<std::int32_t> tiles_on(tiles);
        const auto out = Bf16Array::poisoned(scene.out_elements());
        attend_prefill(scene.call(out.device<bf16>()), tiles_on.as(),
                       static_cast<int>(tiles.size() / 2), nullptr);
        expect_near(out.read(), want, 8e-3, "heads of " + std::to_string(shape.dim));
    }
}

}  // namespace
}  // namespace heddle::compute::cuda
