#include "model/encoder.h"

#include <utility>

#include "base/check.h"
#include "model/encoder_batch.h"

namespace heddle::model {

using compute::DType;
using compute::Tensor;

Encoder::Encoder(std::unique_ptr<EncoderStack> stack, SentenceSettings settings,
                 const EncoderOptions& options)
    : stack_(std::move(stack)),
      settings_(std::move(settings)),
      options_(options),
      tokens_max_(encoder_tokens_max(settings_, stack_->config())) {}

Result<std::unique_ptr<Encoder>> Encoder::load(const std::filesystem::path& folder,
                                               compute::Backend& backend,
                                               const EncoderOptions& options) {
    HEDDLE_TRY(auto stack, EncoderStack::load(folder, backend, options.arithmetic));
    HEDDLE_TRY(SentenceSettings settings, load_sentence_settings(folder));
    return std::unique_ptr<Encoder>(new Encoder(std::move(stack), std::move(settings), options));
}

Result<> Encoder::embed(std::span<const EncoderSequence> batch, std::span<float> out) {
    const auto width = static_cast<std::size_t>(dimensions());
    HEDDLE_CHECK(out.size() == batch.size() * width, "one row of the output for each sequence");
    for (const EncoderSequence& sequence : batch) {
        HEDDLE_TRY_VOID(check_sequence(*stack_, sequence, tokens_max_));
    }
    return for_each_step(batch, options_.tokens_per_step, [&](std::size_t begin, std::size_t end) {
        return embed_step(batch.subspan(begin, end - begin),
                          out.subspan(begin * width, (end - begin) * width));
    });
}

Result<> Encoder::embed_step(std::span<const EncoderSequence> step, std::span<float> out) {
    compute::Backend& backend = stack_->backend();
    const auto count = static_cast<std::int64_t>(step.size());
    const DType dtype = backend.info().activations;
    const std::size_t extra = workspace_bytes(dtype, count, dimensions());
    HEDDLE_TRY(const EncoderStates states, stack_->forward(step, extra));
    Workspace& workspace = stack_->workspace();
    const Tensor pooled = workspace.matrix(dtype, count, dimensions());
    if (settings_.pooling == Pooling::kMean) {
        backend.mean_pool(pooled, states.rows, states.starts);
    } else {
        backend.gather_rows(pooled, states.rows, states.starts.slice(0, count));
    }
    if (settings_.normalize) backend.l2_normalize(pooled, pooled);
    backend.download(std::as_writable_bytes(out), pooled);
    return {};
}

Result<> Encoder::token_states(const EncoderSequence& sequence, std::span<float> out) {
    HEDDLE_CHECK(out.size() == sequence.tokens.size() * static_cast<std::size_t>(dimensions()),
                 "one row of the output for each token");
    HEDDLE_TRY_VOID(check_sequence(*stack_, sequence, tokens_max_));
    HEDDLE_TRY(const EncoderStates states, stack_->forward({&sequence, 1}, 0));
    stack_->backend().download(std::as_writable_bytes(out), states.rows);
    return {};
}

}  // namespace heddle::model
