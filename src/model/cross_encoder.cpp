#include "model/cross_encoder.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "model/encoder_batch.h"

namespace heddle::model {

using compute::DType;
using compute::Tensor;

Result<std::unique_ptr<CrossEncoder>> CrossEncoder::load(const std::filesystem::path& folder,
                                                         compute::Backend& backend,
                                                         const EncoderOptions& options) {
    HEDDLE_TRY(auto stack, EncoderStack::load(folder, backend, options.arithmetic));
    if (stack->config().labels < 1) {
        return fail(ErrorCode::kInvalidArgument, "the model has no classification head");
    }
    HEDDLE_TRY(const SentenceSettings settings, load_sentence_settings(folder));
    const std::int64_t tokens_max = encoder_tokens_max(settings, stack->config());
    std::unique_ptr<CrossEncoder> encoder(new CrossEncoder(std::move(stack), options, tokens_max));
    HEDDLE_TRY_VOID(encoder->load_head(options.arithmetic));
    return encoder;
}

Result<> CrossEncoder::load_head(compute::Arithmetic arithmetic) {
    const WeightLoader loader(stack_->tensors(), stack_->backend(), arithmetic);
    const std::int64_t hidden = config().hidden;
    const bool pooler = stack_->traits().head == EncoderTraits::Head::kPooler;
    const std::string dense =
        pooler ? std::string(stack_->traits().prefix) + "pooler.dense" : "classifier.dense";
    HEDDLE_TRY(dense_, loader.linear(dense, hidden, hidden));
    HEDDLE_TRY(classifier_,
               loader.linear(pooler ? "classifier" : "classifier.out_proj", labels(), hidden));
    return {};
}

Result<> CrossEncoder::score(std::span<const EncoderSequence> batch, std::span<float> out) {
    const auto width = static_cast<std::size_t>(labels());
    HEDDLE_CHECK(out.size() == batch.size() * width, "one row of the output for each pair");
    for (const EncoderSequence& sequence : batch) {
        HEDDLE_TRY_VOID(check_sequence(*stack_, sequence, tokens_max_));
    }
    return for_each_step(batch, options_.tokens_per_step, [&](std::size_t begin, std::size_t end) {
        return score_step(batch.subspan(begin, end - begin),
                          out.subspan(begin * width, (end - begin) * width));
    });
}

Result<> CrossEncoder::score_step(std::span<const EncoderSequence> step, std::span<float> out) {
    compute::Backend& backend = stack_->backend();
    const DType dtype = backend.info().activations;
    const auto count = static_cast<std::int64_t>(step.size());
    const std::int64_t hidden = config().hidden;
    const std::size_t extra =
        2 * workspace_bytes(dtype, count, hidden) + workspace_bytes(DType::kF32, count, labels());
    HEDDLE_TRY(const EncoderStates states, stack_->forward(step, extra));
    Workspace& workspace = stack_->workspace();
    const Tensor first = workspace.matrix(dtype, count, hidden);
    const Tensor inner = workspace.matrix(dtype, count, hidden);
    const Tensor scores = workspace.matrix(DType::kF32, count, labels());
    backend.gather_rows(first, states.rows, states.starts.slice(0, count));
    backend.linear(inner, first, *dense_.weight, {.bias = dense_.bias.view()});
    backend.activate(inner, inner, compute::Activation::kTanh);
    backend.linear(scores, inner, *classifier_.weight, {.bias = classifier_.bias.view()});
    backend.download(std::as_writable_bytes(out), scores);
    return {};
}

}  // namespace heddle::model
