#include "model/decoder_tensors.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "model/weight_loader.h"

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

class DecoderReader {
public:
    DecoderReader(const ModelFiles& files, const DecoderTraits& traits)
        : config_(files.config()),
          traits_(traits),
          names_(files.format() == FileFormat::kGguf ? kGgufNames : kHuggingFaceNames),
          reader_(files.tensors()) {
        if (traits.sandwich_norms && files.format() == FileFormat::kHuggingFace) {
            names_.mlp_norm = "pre_feedforward_layernorm";
        }
        // Models that also read images keep the language model's tensors under a name of theirs.
        for (const std::string_view prefix : {"language_model.", "model.language_model."}) {
            const std::string outer(prefix);
            if (reader_.has(outer + weight(names_.embeddings))) prefix_ = outer;
        }
    }

    Result<DecoderTensors> read() const {
        const std::int64_t vocabulary = config_.vocabulary;
        DecoderTensors tensors;
        const std::string embeddings = prefix_ + std::string(names_.embeddings);
        HEDDLE_TRY(tensors.embeddings, linear(embeddings, vocabulary, config_.hidden));
        for (std::int64_t i = 0; i < config_.layers; ++i) {
            HEDDLE_TRY(DecoderLayerTensors layer, read_layer(i));
            tensors.layers.push_back(std::move(layer));
        }
        HEDDLE_TRY(tensors.final_norm, vector(prefix_ + weight(names_.final_norm), config_.hidden));
        const std::string output = prefix_ + std::string(names_.output);
        const bool own_output = !config_.tied_embeddings && reader_.has(output + ".weight");
        if (!config_.tied_embeddings && !own_output) {
            return fail(ErrorCode::kCorrupt, fmt::format("tensor {}.weight is missing", output));
        }
        tensors.tied_output = !own_output;
        HEDDLE_TRY(tensors.output,
                   linear(own_output ? output : embeddings, vocabulary, config_.hidden));
        return tensors;
    }

private:
    static std::string weight(std::string_view name) { return std::string(name) + ".weight"; }

    Result<LinearTensor> part(const std::string& name, const RowRange& range,
                              std::int64_t cols) const {
        LinearTensor tensor;
        tensor.name = name + ".weight";
        HEDDLE_TRY(tensor.weight, reader_.matrix(tensor.name, range, cols));
        if (reader_.has(name + ".bias")) {
            HEDDLE_TRY(tensor.bias, reader_.vector(name + ".bias", range));
        }
        return tensor;
    }

    Result<LinearTensor> linear(const std::string& name, std::int64_t rows,
                                std::int64_t cols) const {
        return part(name, {0, rows, rows}, cols);
    }

    Result<std::vector<float>> vector(const std::string& name, std::int64_t size) const {
        return reader_.vector(name, {0, size, size});
    }

    Result<DecoderLayerTensors> read_layer(std::int64_t index) const {
        const std::string prefix = fmt::format("{}{}{}.", prefix_, names_.layer, index);
        DecoderLayerTensors layer;
        HEDDLE_TRY_VOID(read_attention(prefix, layer));
        HEDDLE_TRY_VOID(read_mlp(prefix, layer));
        HEDDLE_TRY(layer.attention_norm, norm(prefix, names_.attention_norm));
        HEDDLE_TRY(layer.mlp_norm, norm(prefix, names_.mlp_norm));
        if (traits_.sandwich_norms) {
            HEDDLE_TRY(layer.attention_post_norm, norm(prefix, names_.attention_post_norm));
            HEDDLE_TRY(layer.mlp_post_norm, norm(prefix, names_.mlp_post_norm));
        }
        return layer;
    }

    Result<std::vector<float>> norm(const std::string& prefix, std::string_view name) const {
        return vector(prefix + weight(name), config_.hidden);
    }

    Result<> read_attention(const std::string& prefix, DecoderLayerTensors& layer) const {
        const std::int64_t hidden = config_.hidden;
        const std::int64_t queries = config_.query_width();
        const std::int64_t keys = config_.kv_width();
        if (traits_.fused_qkv) {
            const std::string fused = prefix + std::string(names_.fused_qkv);
            const std::int64_t total = queries + 2 * keys;
            HEDDLE_TRY(layer.query, part(fused, {0, queries, total}, hidden));
            HEDDLE_TRY(layer.key, part(fused, {queries, keys, total}, hidden));
            HEDDLE_TRY(layer.value, part(fused, {queries + keys, keys, total}, hidden));
        } else {
            HEDDLE_TRY(layer.query, linear(prefix + std::string(names_.query), queries, hidden));
            HEDDLE_TRY(layer.key, linear(prefix + std::string(names_.key), keys, hidden));
            HEDDLE_TRY(layer.value, linear(prefix + std::string(names_.value), keys, hidden));
        }
        if (traits_.qkv_bias &&
            (layer.query.bias.empty() || layer.key.bias.empty() || layer.value.bias.empty())) {
            return fail(ErrorCode::kCorrupt, fmt::format("the biases of {}* are missing", prefix));
        }
        HEDDLE_TRY(layer.attention_output,
                   linear(prefix + std::string(names_.attention_output), hidden, queries));
        if (!traits_.head_norms) return {};
        HEDDLE_TRY(layer.query_norm, vector(prefix + weight(names_.query_norm), config_.head_dim));
        HEDDLE_TRY(layer.key_norm, vector(prefix + weight(names_.key_norm), config_.head_dim));
        return {};
    }

    Result<> read_mlp(const std::string& prefix, DecoderLayerTensors& layer) const {
        const std::int64_t hidden = config_.hidden;
        const std::int64_t inner = config_.intermediate;
        if (traits_.fused_gate_up) {
            const std::string fused = prefix + std::string(names_.fused_gate_up);
            HEDDLE_TRY(layer.gate, part(fused, {0, inner, 2 * inner}, hidden));
            HEDDLE_TRY(layer.up, part(fused, {inner, inner, 2 * inner}, hidden));
        } else {
            HEDDLE_TRY(layer.gate, linear(prefix + std::string(names_.gate), inner, hidden));
            HEDDLE_TRY(layer.up, linear(prefix + std::string(names_.up), inner, hidden));
        }
        HEDDLE_TRY(layer.down, linear(prefix + std::string(names_.down), hidden, inner));
        return {};
    }

    const ModelConfig& config_;
    const DecoderTraits& traits_;
    DecoderNames names_;
    std::string prefix_;
    const TensorReader reader_;
};

}  // namespace

Result<DecoderTensors> find_decoder_tensors(const ModelFiles& files, const DecoderTraits& traits) {
    return DecoderReader(files, traits).read();
}

}  // namespace heddle::model
