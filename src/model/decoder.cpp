#include "model/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "model/architectures.h"

namespace heddle::model {

using compute::ConstTensor;
using compute::DType;
using compute::KvCache;
using compute::Tensor;

struct Decoder::Activations {
    Tensor ids, positions, slots;
    compute::PagedBatch batch;
    Tensor stream;  // [rows, hidden], the residual stream
    Tensor normed;  // what the next block reads
    Tensor update;  // what the last block wrote, not yet in the stream
    Tensor query, key, value, attended;
    Tensor gate, up;
};

namespace {

// The tensors of a step of the largest size, in the order in which prepare() takes them.
std::size_t step_bytes(const ModelConfig& config, const DecoderOptions& options, DType dtype) {
    const std::int64_t rows = options.rows_max;
    const std::int64_t blocks =
        (options.context_max + options.block_tokens - 1) / options.block_tokens;
    const std::int64_t logit_rows = options.logit_rows_max;
    return 3 * workspace_bytes(DType::kI32, 1, rows) +
           2 * workspace_bytes(DType::kI32, 1, options.sequences_max + 1) +
           workspace_bytes(DType::kI32, options.sequences_max, blocks) +
           3 * workspace_bytes(dtype, rows, config.hidden) +
           2 * workspace_bytes(dtype, rows, config.query_width()) +
           2 * workspace_bytes(dtype, rows, config.kv_width()) +
           2 * workspace_bytes(dtype, rows, config.intermediate) +
           workspace_bytes(DType::kI32, 1, logit_rows) +
           3 * workspace_bytes(dtype, logit_rows, config.hidden) +
           workspace_bytes(DType::kF32, logit_rows, config.vocabulary);
}

}  // namespace

Decoder::Decoder(std::shared_ptr<const ModelFiles> files, compute::Backend& backend,
                 const DecoderOptions& options, DecoderTraits traits)
    : files_(std::move(files)),
      backend_(backend),
      options_(options),
      traits_(traits),
      workspace_(backend) {}

Result<std::unique_ptr<Decoder>> Decoder::load(std::shared_ptr<const ModelFiles> files,
                                               compute::Backend& backend,
                                               const DecoderOptions& options) {
    const ModelConfig& config = files->config();
    HEDDLE_TRY(const DecoderTraits traits, decoder_traits(config, files->format()));
    DecoderOptions complete = options;
    if (complete.context_max == 0) complete.context_max = config.context;
    if (complete.context_max < 1 || complete.context_max > config.context) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a context of {} tokens is over the model's {}",
                                complete.context_max, config.context));
    }
    std::unique_ptr<Decoder> decoder(new Decoder(std::move(files), backend, complete, traits));
    HEDDLE_TRY(decoder->weights_, load_decoder_weights(*decoder->files_, decoder->traits_, backend,
                                                       options.arithmetic, complete.context_max));
    HEDDLE_TRY_VOID(decoder->reserve());
    decoder->files_->tensors().drop_resident();
    return decoder;
}

Result<> Decoder::reserve() {
    const ModelConfig& c = config();
    HEDDLE_TRY_VOID(workspace_.reserve(step_bytes(c, options_, backend_.info().activations)));
    return backend_.reserve(options_.rows_max,
                            std::max({c.hidden, c.query_width(), c.intermediate}));
}

compute::KvCacheShape Decoder::kv_shape(std::int64_t blocks, DType dtype) const {
    return {.layers = config().layers,
            .blocks = blocks,
            .block_tokens = options_.block_tokens,
            .kv_heads = config().kv_heads,
            .head_dim = config().head_dim,
            .dtype = dtype};
}

void Decoder::check(const DecoderStep& step) const {
    const std::size_t rows = step.tokens.size();
    const std::size_t sequences = step.context_lengths.size();
    HEDDLE_CHECK(rows >= 1 && std::cmp_less_equal(rows, options_.rows_max) &&
                     step.positions.size() == rows && step.slots.size() == rows,
                 "a step's rows agree and fit");
    HEDDLE_CHECK(sequences >= 1 && std::cmp_less_equal(sequences, options_.sequences_max) &&
                     step.query_starts.size() == sequences + 1 &&
                     std::cmp_equal(step.query_starts.back(), rows) &&
                     std::cmp_equal(step.block_tables.size(),
                                    static_cast<std::int64_t>(sequences) * step.block_table_width),
                 "a step's sequences agree and fit");
    HEDDLE_CHECK(std::cmp_less_equal(step.logit_rows.size(), options_.logit_rows_max),
                 "a step's logits fit");
    for (const std::int32_t token : step.tokens) {
        HEDDLE_CHECK(token >= 0 && token < config().vocabulary, "tokens are in the vocabulary");
    }
    for (const std::int32_t length : step.context_lengths) {
        HEDDLE_CHECK(length >= 1 && length <= options_.context_max, "contexts fit the model");
    }
}

Decoder::Activations Decoder::prepare(const DecoderStep& step) {
    workspace_.reset();
    const ModelConfig& c = config();
    const DType dtype = backend_.info().activations;
    const auto rows = static_cast<std::int64_t>(step.tokens.size());
    const auto sequences = static_cast<std::int64_t>(step.context_lengths.size());
    Activations a;
    a.ids = workspace_.indices(step.tokens);
    a.positions = workspace_.indices(step.positions);
    a.slots = workspace_.indices(step.slots);
    a.batch.query_starts = workspace_.indices(step.query_starts);
    a.batch.context_lengths = workspace_.indices(step.context_lengths);
    a.batch.block_tables = Tensor(workspace_.indices(step.block_tables).data(), DType::kI32,
                                  {sequences, step.block_table_width});
    a.batch.context_tokens_max = std::ranges::max(step.context_lengths);
    for (std::int64_t s = 0; s < sequences; ++s) {
        a.batch.query_rows_max =
            std::max(a.batch.query_rows_max, step.query_starts[static_cast<std::size_t>(s) + 1] -
                                                 step.query_starts[static_cast<std::size_t>(s)]);
    }
    for (Tensor* tensor : {&a.stream, &a.normed, &a.update}) {
        *tensor = workspace_.matrix(dtype, rows, c.hidden);
    }
    a.query = workspace_.matrix(dtype, rows, c.query_width());
    a.attended = workspace_.matrix(dtype, rows, c.query_width());
    a.key = workspace_.matrix(dtype, rows, c.kv_width());
    a.value = workspace_.matrix(dtype, rows, c.kv_width());
    a.gate = workspace_.matrix(dtype, rows, c.intermediate);
    a.up = workspace_.matrix(dtype, rows, c.intermediate);
    return a;
}

void Decoder::norm(Tensor x, Tensor residual, const WeightVector& weight, Tensor y) const {
    const compute::NormOptions options{.epsilon = static_cast<float>(config().norm_epsilon),
                                       .unit_offset = traits_.norm_unit_offset};
    backend_.rms_norm(y, x, residual, weight.view(), options);
}

void Decoder::rotate(std::int64_t index, const Activations& a) {
    const ModelConfig& c = config();
    const bool local = c.window_of(index) > 0 && !weights_.local_inverse_frequencies.empty();
    const compute::RopeOptions options{
        .style = traits_.rope_style,
        .inverse_frequencies =
            (local ? weights_.local_inverse_frequencies : weights_.inverse_frequencies).view(),
        .attention_factor = local ? 1.0F : weights_.rope_attention_factor,
    };
    backend_.rope(a.query.split_columns(c.heads), a.positions, options);
    backend_.rope(a.key.split_columns(c.kv_heads), a.positions, options);
}

void Decoder::attend(std::int64_t index, const Activations& a, KvCache& cache) {
    const ModelConfig& c = config();
    const DecoderLayer& layer = weights_.layers[static_cast<std::size_t>(index)];
    backend_.linear(a.query, a.normed, *layer.query.weight, {.bias = layer.query.bias.view()});
    backend_.linear(a.key, a.normed, *layer.key.weight,
                    {.bias = layer.key.bias.view(), .same_input = true});
    backend_.linear(a.value, a.normed, *layer.value.weight,
                    {.bias = layer.value.bias.view(), .same_input = true});
    const Tensor queries = a.query.split_columns(c.heads);
    const Tensor keys = a.key.split_columns(c.kv_heads);
    if (traits_.head_norms) {
        norm(queries, {}, layer.query_norm, queries);
        norm(keys, {}, layer.key_norm, keys);
    }
    rotate(index, a);
    backend_.write_kv(cache, index, keys, a.value.split_columns(c.kv_heads), a.slots);
    const compute::AttentionOptions options{
        .scale = static_cast<float>(
            1.0 / std::sqrt(c.query_scale.value_or(static_cast<double>(c.head_dim)))),
        .sliding_window = static_cast<std::int32_t>(c.window_of(index)),
        .logit_softcap = static_cast<float>(c.attention_softcap),
    };
    backend_.paged_attention(a.attended.split_columns(c.heads), queries, cache, index, a.batch,
                             options);
    backend_.linear(a.update, a.attended, *layer.attention_output.weight,
                    {.bias = layer.attention_output.bias.view()});
    if (traits_.sandwich_norms) norm(a.update, {}, layer.attention_post_norm, a.update);
}

void Decoder::feed_forward(const DecoderLayer& layer, const Activations& a) {
    backend_.linear(a.gate, a.normed, *layer.gate.weight, {.bias = layer.gate.bias.view()});
    backend_.linear(a.up, a.normed, *layer.up.weight,
                    {.bias = layer.up.bias.view(), .same_input = true});
    backend_.gated_activate(a.gate, a.gate, a.up, config().activation);
    backend_.linear(a.update, a.gate, *layer.down.weight, {.bias = layer.down.bias.view()});
    if (traits_.sandwich_norms) norm(a.update, {}, layer.mlp_post_norm, a.update);
}

ConstTensor Decoder::forward(const DecoderStep& step, KvCache& cache) {
    check(step);
    const Activations a = prepare(step);
    backend_.embedding(a.stream, *weights_.embeddings, a.ids, {.scale = traits_.embedding_scale});
    for (std::int64_t i = 0; i < config().layers; ++i) {
        const DecoderLayer& layer = weights_.layers[static_cast<std::size_t>(i)];
        // Each norm first takes the block before it into the stream.
        norm(i == 0 ? a.stream : a.update, i == 0 ? Tensor() : a.stream, layer.attention_norm,
             a.normed);
        attend(i, a, cache);
        norm(a.update, a.stream, layer.mlp_norm, a.normed);
        feed_forward(layer, a);
    }
    return logits(step, a);
}

// Only the rows that are asked for go through the last norm and the vocabulary.
ConstTensor Decoder::logits(const DecoderStep& step, const Activations& a) {
    const auto rows = static_cast<std::int64_t>(step.logit_rows.size());
    const Tensor out = workspace_.matrix(DType::kF32, rows, config().vocabulary);
    if (rows == 0) return out;
    const DType dtype = backend_.info().activations;
    const Tensor wanted = workspace_.indices(step.logit_rows);
    const Tensor stream = workspace_.matrix(dtype, rows, config().hidden);
    const Tensor update = workspace_.matrix(dtype, rows, config().hidden);
    const Tensor normed = workspace_.matrix(dtype, rows, config().hidden);
    backend_.gather_rows(stream, a.stream, wanted);
    backend_.gather_rows(update, a.update, wanted);
    norm(update, stream, weights_.final_norm, normed);
    backend_.linear(out, normed, *weights_.output, {});
    if (config().logit_softcap > 0) {
        backend_.softcap(out, out, static_cast<float>(config().logit_softcap));
    }
    return out;
}

}  // namespace heddle::model
