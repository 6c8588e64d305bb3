#include "model/decoder_weights.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "model/rope_frequencies.h"

namespace heddle::model {
namespace {

// Tensor names without ".weight"; those of a layer follow its prefix.
struct DecoderNames {
    std::string_view embeddings, final_norm, output, layer;
    std::string_view attention_norm, attention_post_norm, mlp_norm, mlp_post_norm;
    std::string_view query, key, value, fused_qkv, attention_output, query_norm, key_norm;
    std::string_view gate, up, fused_gate_up, down;
};

constexpr DecoderNames kHuggingFaceNames = {
    .embeddings = "model.embed_tokens",
    .final_norm = "model.norm",
    .output = "lm_head",
    .layer = "model.layers.",
    .attention_norm = "input_layernorm",
    .attention_post_norm = "post_attention_layernorm",
    .mlp_norm = "post_attention_layernorm",
    .mlp_post_norm = "post_feedforward_layernorm",
    .query = "self_attn.q_proj",
    .key = "self_attn.k_proj",
    .value = "self_attn.v_proj",
    .fused_qkv = "self_attn.qkv_proj",
    .attention_output = "self_attn.o_proj",
    .query_norm = "self_attn.q_norm",
    .key_norm = "self_attn.k_norm",
    .gate = "mlp.gate_proj",
    .up = "mlp.up_proj",
    .fused_gate_up = "mlp.gate_up_proj",
    .down = "mlp.down_proj",
};

constexpr DecoderNames kGgufNames = {
    .embeddings = "token_embd",
    .final_norm = "output_norm",
    .output = "output",
    .layer = "blk.",
    .attention_norm = "attn_norm",
    .attention_post_norm = "post_attention_norm",
    .mlp_norm = "ffn_norm",
    .mlp_post_norm = "post_ffw_norm",
    .query = "attn_q",
    .key = "attn_k",
    .value = "attn_v",
    .fused_qkv = "attn_qkv",
    .attention_output = "attn_output",
    .query_norm = "attn_q_norm",
    .key_norm = "attn_k_norm",
    .gate = "ffn_gate",
    .up = "ffn_up",
    .fused_gate_up = "ffn_up",
    .down = "ffn_down",
};

class DecoderLoader {
public:
    DecoderLoader(const ModelFiles& files, const DecoderTraits& traits, compute::Backend& backend,
                  compute::Arithmetic arithmetic)
        : config_(files.config()),
          traits_(traits),
          names_(files.format() == FileFormat::kGguf ? kGgufNames : kHuggingFaceNames),
          loader_(files.tensors(), backend, arithmetic) {
        if (traits.sandwich_norms && files.format() == FileFormat::kHuggingFace) {
            names_.mlp_norm = "pre_feedforward_layernorm";
        }
        // Models that also read images keep the language model's tensors under a name of theirs.
        for (const std::string_view prefix : {"language_model.", "model.language_model."}) {
            const std::string outer(prefix);
            if (loader_.has(outer + weight(names_.embeddings))) prefix_ = outer;
        }
    }

    Result<DecoderWeights> load(std::int64_t context) const {
        DecoderWeights weights;
        const std::string embeddings = prefix_ + weight(names_.embeddings);
        HEDDLE_TRY(weights.embeddings,
                   loader_.table(embeddings, config_.vocabulary, config_.hidden));
        for (std::int64_t i = 0; i < config_.layers; ++i) {
            HEDDLE_TRY(DecoderLayer layer, load_layer(i));
            weights.layers.push_back(std::move(layer));
        }
        HEDDLE_TRY(weights.final_norm,
                   loader_.vector(prefix_ + weight(names_.final_norm), config_.hidden));
        const std::string output = prefix_ + weight(names_.output);
        const bool own_output = !config_.tied_embeddings && loader_.has(output);
        if (!config_.tied_embeddings && !own_output) {
            return fail(ErrorCode::kCorrupt, fmt::format("tensor {} is missing", output));
        }
        const RowRange rows{0, config_.vocabulary, config_.vocabulary};
        HEDDLE_TRY(weights.output,
                   loader_.matrix(own_output ? output : embeddings, rows, config_.hidden));
        HEDDLE_TRY_VOID(load_frequencies(context, weights));
        return weights;
    }

private:
    static std::string weight(std::string_view name) { return std::string(name) + ".weight"; }

    Result<> load_frequencies(std::int64_t context, DecoderWeights& weights) const {
        const RopeFrequencies rope = rope_frequencies(config_, context);
        HEDDLE_TRY(weights.inverse_frequencies, loader_.upload(rope.inverse));
        weights.rope_attention_factor = rope.attention_factor;
        if (config_.local_rope_base) {
            const RopeFrequencies local =
                unscaled_rope_frequencies(config_.rotary_dim, *config_.local_rope_base);
            HEDDLE_TRY(weights.local_inverse_frequencies, loader_.upload(local.inverse));
        }
        return {};
    }

    Result<DecoderLayer> load_layer(std::int64_t index) const {
        const std::string prefix = fmt::format("{}{}{}.", prefix_, names_.layer, index);
        DecoderLayer layer;
        HEDDLE_TRY_VOID(load_attention(prefix, layer));
        HEDDLE_TRY_VOID(load_mlp(prefix, layer));
        HEDDLE_TRY(layer.attention_norm, norm(prefix, names_.attention_norm));
        HEDDLE_TRY(layer.mlp_norm, norm(prefix, names_.mlp_norm));
        if (traits_.sandwich_norms) {
            HEDDLE_TRY(layer.attention_post_norm, norm(prefix, names_.attention_post_norm));
            HEDDLE_TRY(layer.mlp_post_norm, norm(prefix, names_.mlp_post_norm));
        }
        return layer;
    }

    Result<WeightVector> norm(const std::string& prefix, std::string_view name) const {
        return loader_.vector(prefix + weight(name), config_.hidden);
    }

    Result<> load_attention(const std::string& prefix, DecoderLayer& layer) const {
        const std::int64_t hidden = config_.hidden;
        const std::int64_t queries = config_.query_width();
        const std::int64_t keys = config_.kv_width();
        if (traits_.fused_qkv) {
            const std::string fused = prefix + std::string(names_.fused_qkv);
            const std::int64_t total = queries + 2 * keys;
            HEDDLE_TRY(layer.query, loader_.linear_part(fused, {0, queries, total}, hidden));
            HEDDLE_TRY(layer.key, loader_.linear_part(fused, {queries, keys, total}, hidden));
            HEDDLE_TRY(layer.value,
                       loader_.linear_part(fused, {queries + keys, keys, total}, hidden));
        } else {
            HEDDLE_TRY(layer.query,
                       loader_.linear(prefix + std::string(names_.query), queries, hidden));
            HEDDLE_TRY(layer.key, loader_.linear(prefix + std::string(names_.key), keys, hidden));
            HEDDLE_TRY(layer.value,
                       loader_.linear(prefix + std::string(names_.value), keys, hidden));
        }
        if (traits_.qkv_bias &&
            (layer.query.bias.empty() || layer.key.bias.empty() || layer.value.bias.empty())) {
            return fail(ErrorCode::kCorrupt, fmt::format("the biases of {}* are missing", prefix));
        }
        HEDDLE_TRY(layer.attention_output,
                   loader_.linear(prefix + std::string(names_.attention_output), hidden, queries));
        if (!traits_.head_norms) return {};
        HEDDLE_TRY(layer.query_norm,
                   loader_.vector(prefix + weight(names_.query_norm), config_.head_dim));
        HEDDLE_TRY(layer.key_norm,
                   loader_.vector(prefix + weight(names_.key_norm), config_.head_dim));
        return {};
    }

    Result<> load_mlp(const std::string& prefix, DecoderLayer& layer) const {
        const std::int64_t hidden = config_.hidden;
        const std::int64_t inner = config_.intermediate;
        if (traits_.fused_gate_up) {
            const std::string fused = prefix + std::string(names_.fused_gate_up);
            HEDDLE_TRY(layer.gate, loader_.linear_part(fused, {0, inner, 2 * inner}, hidden));
            HEDDLE_TRY(layer.up, loader_.linear_part(fused, {inner, inner, 2 * inner}, hidden));
        } else {
            HEDDLE_TRY(layer.gate,
                       loader_.linear(prefix + std::string(names_.gate), inner, hidden));
            HEDDLE_TRY(layer.up, loader_.linear(prefix + std::string(names_.up), inner, hidden));
        }
        HEDDLE_TRY(layer.down, loader_.linear(prefix + std::string(names_.down), hidden, inner));
        return {};
    }

    const ModelConfig& config_;
    const DecoderTraits& traits_;
    DecoderNames names_;
    std::string prefix_;
    const WeightLoader loader_;
};

}  // namespace

std::size_t DecoderWeights::owned_bytes() const {
    std::size_t bytes = embeddings->owned_bytes() + output->owned_bytes();
    for (const DecoderLayer& layer : layers) {
        for (const Linear* linear :
             {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate,
              &layer.up, &layer.down}) {
            bytes += linear->weight->owned_bytes();
        }
    }
    return bytes;
}

Result<DecoderWeights> load_decoder_weights(const ModelFiles& files, const DecoderTraits& traits,
                                            compute::Backend& backend,
                                            compute::Arithmetic arithmetic, std::int64_t context) {
    return DecoderLoader(files, traits, backend, arithmetic).load(context);
}

}  // namespace heddle::model
