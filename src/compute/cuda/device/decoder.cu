#include <algorithm>

#include "compute/cuda/device/decoder.h"

namespace heddle::compute::cuda {
namespace {

// Enough blocks to fill the multiprocessors several times over.
constexpr int kDecodeBlocks = 132 * 6;
constexpr int kSplitsMax = 32;

}  // namespace

bool DeviceDecoder::norm_fused(int rows) const {
    return model_.sandwich_norms == 0 && model_.hidden % 64 == 0 &&
           skinny_norm_fits(rows, model_.hidden);
}

int DeviceDecoder::splits(int decodes) const {
    const int heads = std::max(1, decodes * model_.kv_heads);
    return std::clamp((kDecodeBlocks + heads - 1) / heads, 1, kSplitsMax);
}

void DeviceDecoder::product(void* y, const bf16* x, const bf16* weight, const ProductShape& shape,
                            SkinnyEnd end, const float* norm) {
    if (skinny_fits(shape.m, shape.n, shape.k)) {
        skinny_product({y, x, weight, shape.m, shape.n, shape.k, end, model_.activation, norm,
                        model_.norm_epsilon},
                       stream_);
        return;
    }
    if (end != SkinnyEnd::kActivate) {
        products_->run(y, x, weight, shape, end == SkinnyEnd::kAdd, stream_);
        return;
    }
    products_->run(work_.both, x, weight, shape, false, stream_);
    gated_activate(static_cast<bf16*>(y), work_.both, shape.m, shape.n / 2, model_.activation,
                   stream_);
}

// What the next block reads; takes the last block's update into the stream first.
void DeviceDecoder::norm(const float* weight, int rows, bool with_update) {
    add_norm({work_.normed, work_.stream, with_update ? work_.update : nullptr, nullptr, weight,
              rows, model_.hidden, model_.norm_epsilon},
             stream_);
}

void DeviceDecoder::post_norm(const float* weight, int rows) {
    add_norm({work_.update, work_.update, nullptr, nullptr, weight, rows, model_.hidden,
              model_.norm_epsilon},
             stream_);
}

RopeCall DeviceDecoder::rope_call(int index, int rows, const InputPlaces& at) const {
    const HeddleCudaModel& m = model_;
    const DeviceLayer& layer = weights_->layers[static_cast<std::size_t>(index)];
    const std::int64_t layer_elements =
        static_cast<std::int64_t>(block_count_) * m.kv_heads * limits_.block_tokens * m.head_dim;
    const bool local =
        windows_[static_cast<std::size_t>(index)] > 0 && weights_->local_turns != nullptr;
    RopeCall rope;
    rope.qkv = work_.qkv;
    rope.bias = layer.qkv_bias;
    rope.query_norm = layer.query_norm;
    rope.key_norm = layer.key_norm;
    rope.turns = local ? weights_->local_turns : weights_->turns;
    rope.positions = work_.inputs + at.positions;
    rope.slots = work_.inputs + at.slots;
    rope.keys = keys_ + index * layer_elements;
    rope.values = values_ + index * layer_elements;
    rope.rows = rows;
    rope.heads = m.heads;
    rope.kv_heads = m.kv_heads;
    rope.head_dim = m.head_dim;
    rope.rotary_dim = m.rotary_dim;
    rope.block_tokens = limits_.block_tokens;
    rope.pairs = m.rope_pairs != 0;
    rope.epsilon = m.norm_epsilon;
    return rope;
}

void DeviceDecoder::attend(int index, const StepShape& shape, const InputPlaces& at,
                           const RopeCall* rope) {
    const HeddleCudaModel& m = model_;
    const std::int64_t layer_elements =
        static_cast<std::int64_t>(block_count_) * m.kv_heads * limits_.block_tokens * m.head_dim;
    const std::int32_t* inputs = work_.inputs;
    AttentionCall call;
    call.out = work_.attended;
    call.queries = work_.qkv;
    call.keys = keys_ + index * layer_elements;
    call.values = values_ + index * layer_elements;
    call.query_starts = inputs + at.starts;
    call.contexts = inputs + at.contexts;
    call.tables = inputs + at.tables;
    call.table_width = inputs + at.width;
    call.heads = m.heads;
    call.kv_heads = m.kv_heads;
    call.head_dim = m.head_dim;
    call.query_stride = (m.heads + 2 * m.kv_heads) * m.head_dim;
    call.block_tokens = limits_.block_tokens;
    call.window = windows_[static_cast<std::size_t>(index)];
    call.scale = m.attention_scale;
    call.softcap = m.attention_softcap;
    if (shape.decodes > 0) {
        attend_decode(call, inputs + at.decodes, shape.decodes, splits(shape.decodes), work_.split,
                      rope, stream_);
    }
    if (shape.tiles > 0) attend_prefill(call, inputs + at.tiles, shape.tiles, stream_);
}

void DeviceDecoder::attention(int index, const StepShape& shape, const InputPlaces& at) {
    const HeddleCudaModel& m = model_;
    const DeviceLayer& layer = weights_->layers[static_cast<std::size_t>(index)];
    const int width = (m.heads + 2 * m.kv_heads) * m.head_dim;
    const bool fused = norm_fused(shape.rows) && skinny_fits(shape.rows, width, m.hidden);
    if (!fused) norm(layer.attention_norm, shape.rows, m.sandwich_norms != 0 && index > 0);
    product(work_.qkv, fused ? work_.stream : work_.normed, layer.qkv,
            {shape.rows, width, m.hidden}, SkinnyEnd::kStore,
            fused ? layer.attention_norm : nullptr);
    const RopeCall rope = rope_call(index, shape.rows, at);
    // Where all sequences decode, their attention rotates too: one launch less.
    const bool alone = shape.tiles == 0;
    if (!alone) rope_and_keep(rope, stream_);
    attend(index, shape, at, alone ? &rope : nullptr);
    const ProductShape out{shape.rows, m.hidden, m.heads * m.head_dim};
    if (m.sandwich_norms != 0) {
        product(work_.update, work_.attended, layer.attention_output, out, SkinnyEnd::kStore,
                nullptr);
        post_norm(layer.attention_post_norm, shape.rows);
    } else {
        product(work_.stream, work_.attended, layer.attention_output, out, SkinnyEnd::kAdd,
                nullptr);
    }
}

void DeviceDecoder::mlp(int index, int rows) {
    const HeddleCudaModel& m = model_;
    const DeviceLayer& layer = weights_->layers[static_cast<std::size_t>(index)];
    const bool fused = norm_fused(rows) && skinny_fits(rows, 2 * m.intermediate, m.hidden);
    if (!fused) norm(layer.mlp_norm, rows, m.sandwich_norms != 0);
    product(work_.inner, fused ? work_.stream : work_.normed, layer.gate_up,
            {rows, 2 * m.intermediate, m.hidden}, SkinnyEnd::kActivate,
            fused ? layer.mlp_norm : nullptr);
    const ProductShape down{rows, m.hidden, m.intermediate};
    if (m.sandwich_norms != 0) {
        product(work_.update, work_.inner, layer.down, down, SkinnyEnd::kStore, nullptr);
        post_norm(layer.mlp_post_norm, rows);
    } else {
        product(work_.stream, work_.inner, layer.down, down, SkinnyEnd::kAdd, nullptr);
    }
}

// Only the rows that are asked for go through the last norm and the vocabulary.
void DeviceDecoder::choose(const StepShape& shape, const InputPlaces& at) {
    const HeddleCudaModel& m = model_;
    if (shape.samples == 0) return;
    add_norm({work_.last, work_.stream, m.sandwich_norms != 0 ? work_.update : nullptr,
              work_.inputs + at.sample_rows, weights_->final_norm, shape.samples, m.hidden,
              m.norm_epsilon},
             stream_);
    product(work_.logits, work_.last, weights_->output,
            {shape.samples, m.vocabulary, m.hidden, true}, SkinnyEnd::kStoreFloat, nullptr);
    if (m.logit_softcap > 0) {
        softcap_logits(work_.logits, static_cast<std::int64_t>(shape.samples) * m.vocabulary,
                       m.logit_softcap, stream_);
    }
    choose_tokens(work_.chosen, work_.kept, work_.logits,
                  reinterpret_cast<const ChoiceRow*>(work_.inputs + at.choices), shape.samples,
                  m.vocabulary, m.tokens, stream_);
}

void DeviceDecoder::forward(const StepShape& shape) {
    const InputPlaces at(shape);
    embed(work_.stream, weights_->embeddings, work_.inputs + at.tokens, work_.kept, shape.rows,
          model_.hidden, model_.embedding_scale, stream_);
    for (int i = 0; i < model_.layers; ++i) {
        attention(i, shape, at);
        mlp(i, shape.rows);
    }
    choose(shape, at);
}

}  // namespace heddle::compute::cuda
