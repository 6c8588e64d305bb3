// Scores of question-passage pairs: an encoder with a classification head over its first token,
// such as the cross-encoder rerankers of sentence-transformers and BGE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.h"
#include "compute/backend.h"
#include "model/encoder.h"
#include "model/encoder_stack.h"

namespace heddle::model {

// Belongs to one thread at a time, as its backend does.
class CrossEncoder {
public:
    // `backend` outlives it. kInvalidArgument for a model without a classification head.
    static Result<std::unique_ptr<CrossEncoder>> load(const std::filesystem::path& folder,
                                                      compute::Backend& backend,
                                                      const EncoderOptions& options);

    // Outputs of the head; a reranker has one.
    [[nodiscard]] std::int64_t labels() const { return stack_->config().labels; }
    [[nodiscard]] std::int64_t tokens_max() const { return tokens_max_; }
    [[nodiscard]] const ModelConfig& config() const { return stack_->config(); }

    // Raw scores (before any sigmoid) of each pair into out [batch, labels]; a pair is one
    // sequence whose second segment is the passage. Errors as Encoder::embed().
    Result<> score(std::span<const EncoderSequence> batch, std::span<float> out);

private:
    CrossEncoder(std::unique_ptr<EncoderStack> stack, const EncoderOptions& options,
                 std::int64_t tokens_max)
        : stack_(std::move(stack)), options_(options), tokens_max_(tokens_max) {}

    Result<> load_head(compute::Arithmetic arithmetic);
    Result<> score_step(std::span<const EncoderSequence> step, std::span<float> out);

    const std::unique_ptr<EncoderStack> stack_;
    const EncoderOptions options_;
    const std::int64_t tokens_max_;
    Linear dense_;
    Linear classifier_;
};

}  // namespace heddle::model
