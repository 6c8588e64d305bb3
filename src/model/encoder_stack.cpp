#include "model/encoder_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "model/architectures.h"
#include "model/safetensors.h"

namespace heddle::model {

using compute::ConstTensor;
using compute::DType;
using compute::Tensor;

struct EncoderStack::Activations {
    std::int32_t rows_max = 0;  // of one sequence
    Tensor ids, positions, types, starts;
    Tensor stream;  // [rows, hidden], carried from layer to layer
    Tensor query, key, value, attended, update;
    Tensor gate, up;
};

EncoderStack::EncoderStack(compute::Backend& backend, ModelConfig config, EncoderTraits traits,
                           StoredTensors tensors)
    : backend_(backend),
      config_(std::move(config)),
      traits_(traits),
      tensors_(std::move(tensors)),
      workspace_(backend) {}

Result<std::unique_ptr<EncoderStack>> EncoderStack::load(const std::filesystem::path& folder,
                                                         compute::Backend& backend,
                                                         compute::Arithmetic arithmetic) {
    HEDDLE_TRY(ModelConfig config, load_folder_config(folder));
    HEDDLE_TRY(const EncoderTraits traits, encoder_traits(config));
    HEDDLE_TRY(StoredTensors tensors, load_safetensors_folder(folder));
    std::unique_ptr<EncoderStack> stack(
        new EncoderStack(backend, std::move(config), traits, std::move(tensors)));
    HEDDLE_TRY_VOID(stack->load_weights(arithmetic));
    stack->tensors_.drop_resident();
    return stack;
}

Result<> EncoderStack::load_weights(compute::Arithmetic arithmetic) {
    const WeightLoader loader(tensors_, backend_, arithmetic);
    const std::string prefixed = std::string(traits_.prefix) + "embeddings.word_embeddings.weight";
    if (loader.has(prefixed)) prefix_ = traits_.prefix;
    HEDDLE_TRY_VOID(load_embeddings(loader));
    for (std::int64_t i = 0; i < config_.layers; ++i) {
        HEDDLE_TRY(Layer layer, load_layer(loader, i));
        layers_.push_back(std::move(layer));
    }
    return {};
}

Result<> EncoderStack::load_embeddings(const WeightLoader& loader) {
    const std::string prefix = prefix_ + "embeddings.";
    const std::int64_t hidden = config_.hidden;
    HEDDLE_TRY(words_, loader.table(prefix + "word_embeddings.weight", config_.vocabulary, hidden));
    if (config_.positions == PositionKind::kAbsolute) {
        HEDDLE_TRY(positions_, loader.table(prefix + "position_embeddings.weight",
                                            config_.context + config_.position_offset, hidden));
    } else {
        HEDDLE_TRY(alibi_slopes_, loader.upload(alibi_slopes(config_.heads)));
    }
    if (config_.token_types > 0) {
        HEDDLE_TRY(types_, loader.table(prefix + "token_type_embeddings.weight",
                                        config_.token_types, hidden));
    }
    HEDDLE_TRY(embedding_norm_, load_norm(loader, prefix + "LayerNorm"));
    return {};
}

Result<EncoderStack::Norm> EncoderStack::load_norm(const WeightLoader& loader,
                                                   const std::string& name) const {
    Norm norm;
    HEDDLE_TRY(norm.weight, loader.vector(name + ".weight", config_.hidden));
    HEDDLE_TRY(norm.bias, loader.vector(name + ".bias", config_.hidden));
    return norm;
}

Result<EncoderStack::Layer> EncoderStack::load_layer(const WeightLoader& loader,
                                                     std::int64_t index) const {
    const std::string prefix = fmt::format("{}encoder.layer.{}.", prefix_, index);
    const std::int64_t hidden = config_.hidden;
    const std::int64_t width = config_.query_width();
    Layer layer;
    HEDDLE_TRY(layer.query, loader.linear(prefix + "attention.self.query", width, hidden));
    HEDDLE_TRY(layer.key, loader.linear(prefix + "attention.self.key", width, hidden));
    HEDDLE_TRY(layer.value, loader.linear(prefix + "attention.self.value", width, hidden));
    HEDDLE_TRY(layer.attention_output,
               loader.linear(prefix + "attention.output.dense", hidden, width));
    HEDDLE_TRY(layer.attention_norm, load_norm(loader, prefix + "attention.output.LayerNorm"));
    HEDDLE_TRY_VOID(load_mlp(loader, prefix, layer));
    return layer;
}

Result<> EncoderStack::load_mlp(const WeightLoader& loader, const std::string& prefix,
                                Layer& layer) const {
    const std::int64_t hidden = config_.hidden;
    const std::int64_t inner = config_.intermediate;
    if (config_.gated_mlp) {
        const std::string gated = prefix + "mlp.gated_layers";
        HEDDLE_TRY(layer.gate, loader.linear_part(gated, {0, inner, 2 * inner}, hidden));
        HEDDLE_TRY(layer.up, loader.linear_part(gated, {inner, inner, 2 * inner}, hidden));
        HEDDLE_TRY(layer.down, loader.linear(prefix + "mlp.wo", hidden, inner));
        HEDDLE_TRY(layer.mlp_norm, load_norm(loader, prefix + "mlp.layernorm"));
        return {};
    }
    HEDDLE_TRY(layer.up, loader.linear(prefix + "intermediate.dense", inner, hidden));
    HEDDLE_TRY(layer.down, loader.linear(prefix + "output.dense", hidden, inner));
    HEDDLE_TRY(layer.mlp_norm, load_norm(loader, prefix + "output.LayerNorm"));
    return {};
}

std::size_t EncoderStack::owned_bytes() const {
    std::size_t bytes = words_->owned_bytes();
    if (positions_) bytes += positions_->owned_bytes();
    if (types_) bytes += types_->owned_bytes();
    for (const Layer& layer : layers_) {
        for (const Linear* linear :
             {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate,
              &layer.up, &layer.down}) {
            if (linear->weight) bytes += linear->weight->owned_bytes();
        }
    }
    return bytes;
}

Result<EncoderStack::Activations> EncoderStack::prepare(std::span<const EncoderSequence> sequences,
                                                        std::size_t extra) {
    std::vector<std::int32_t> ids, positions, types, starts = {0};
    Activations a;
    for (const EncoderSequence& sequence : sequences) {
        for (std::size_t i = 0; i < sequence.tokens.size(); ++i) {
            ids.push_back(sequence.tokens[i]);
            positions.push_back(static_cast<std::int32_t>(config_.position_offset + i));
            const bool second = i >= sequence.second_segment && config_.token_types > 1;
            types.push_back(second ? 1 : 0);
        }
        starts.push_back(static_cast<std::int32_t>(ids.size()));
        a.rows_max = std::max(a.rows_max, static_cast<std::int32_t>(sequence.tokens.size()));
    }
    const auto rows = static_cast<std::int64_t>(ids.size());
    const DType dtype = backend_.info().activations;
    const std::int64_t hidden = config_.hidden;
    const std::int64_t width = config_.query_width();
    const std::int64_t inner = config_.intermediate;
    HEDDLE_TRY_VOID(workspace_.reserve(
        extra + 4 * workspace_bytes(DType::kI32, 1, rows + 1) +
        2 * workspace_bytes(dtype, rows, hidden) + 4 * workspace_bytes(dtype, rows, width) +
        (config_.gated_mlp ? 2 : 1) * workspace_bytes(dtype, rows, inner)));
    HEDDLE_TRY_VOID(backend_.reserve(rows, std::max({hidden, width, inner})));
    a.ids = workspace_.indices(ids);
    a.positions = workspace_.indices(positions);
    a.types = workspace_.indices(types);
    a.starts = workspace_.indices(starts);
    a.stream = workspace_.matrix(dtype, rows, hidden);
    a.update = workspace_.matrix(dtype, rows, hidden);
    for (Tensor* tensor : {&a.query, &a.key, &a.value, &a.attended}) {
        *tensor = workspace_.matrix(dtype, rows, width);
    }
    if (config_.gated_mlp) a.gate = workspace_.matrix(dtype, rows, inner);
    a.up = workspace_.matrix(dtype, rows, inner);
    return a;
}

void EncoderStack::embed_tokens(const Activations& a) {
    backend_.embedding(a.stream, *words_, a.ids, {});
    if (positions_) backend_.embedding(a.stream, *positions_, a.positions, {.accumulate = true});
    if (types_) backend_.embedding(a.stream, *types_, a.types, {.accumulate = true});
    const compute::NormOptions options{.epsilon = static_cast<float>(config_.norm_epsilon)};
    backend_.layer_norm(a.stream, a.stream, {}, embedding_norm_.weight.view(),
                        embedding_norm_.bias.view(), options);
}

// stream = norm(update + stream)
void EncoderStack::normalize(const Norm& norm, const Activations& a) {
    const compute::NormOptions options{.epsilon = static_cast<float>(config_.norm_epsilon)};
    backend_.layer_norm(a.stream, a.update, a.stream, norm.weight.view(), norm.bias.view(),
                        options);
}

void EncoderStack::attend(const Layer& layer, const Activations& a) {
    backend_.linear(a.query, a.stream, *layer.query.weight, {.bias = layer.query.bias.view()});
    backend_.linear(a.key, a.stream, *layer.key.weight, {.bias = layer.key.bias.view()});
    backend_.linear(a.value, a.stream, *layer.value.weight, {.bias = layer.value.bias.view()});
    const compute::AttentionOptions options{
        .scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim)),
        .alibi_slopes = alibi_slopes_.view(),
    };
    const std::int64_t heads = config_.heads;
    backend_.encoder_attention(a.attended.split_columns(heads), a.query.split_columns(heads),
                               a.key.split_columns(heads), a.value.split_columns(heads), a.starts,
                               a.rows_max, options);
    backend_.linear(a.update, a.attended, *layer.attention_output.weight,
                    {.bias = layer.attention_output.bias.view()});
    normalize(layer.attention_norm, a);
}

void EncoderStack::feed_forward(const Layer& layer, const Activations& a) {
    backend_.linear(a.up, a.stream, *layer.up.weight, {.bias = layer.up.bias.view()});
    if (config_.gated_mlp) {
        backend_.linear(a.gate, a.stream, *layer.gate.weight, {.bias = layer.gate.bias.view()});
        backend_.gated_activate(a.gate, a.gate, a.up, config_.activation);
    } else {
        backend_.activate(a.up, a.up, config_.activation);
    }
    backend_.linear(a.update, config_.gated_mlp ? a.gate : a.up, *layer.down.weight,
                    {.bias = layer.down.bias.view()});
    normalize(layer.mlp_norm, a);
}

Result<EncoderStates> EncoderStack::forward(std::span<const EncoderSequence> sequences,
                                            std::size_t extra) {
    HEDDLE_TRY(const Activations a, prepare(sequences, extra));
    embed_tokens(a);
    for (const Layer& layer : layers_) {
        attend(layer, a);
        feed_forward(layer, a);
    }
    return EncoderStates{a.stream, a.starts};
}

std::vector<float> alibi_slopes(std::int64_t heads) {
    const auto whole = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(heads)));
    std::vector<float> slopes;
    for (std::int64_t i = 1; i <= whole; ++i) {
        slopes.push_back(static_cast<float>(
            std::exp2(-8.0 * static_cast<double>(i) / static_cast<double>(whole))));
    }
    // The other heads take every second slope of twice as many heads.
    for (std::int64_t i = 0; i < heads - whole; ++i) {
        slopes.push_back(static_cast<float>(
            std::exp2(-4.0 * static_cast<double>(2 * i + 1) / static_cast<double>(whole))));
    }
    return slopes;
}

}  // namespace heddle::model
