// Texts, as token ids, to vectors: a BERT-like encoder with its pooling, loaded from a
// sentence-transformers folder and equal to sentence-transformers on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/result.h"
#include "compute/backend.h"
#include "model/encoder_stack.h"
#include "model/sentence_settings.h"

namespace heddle::model {

struct EncoderOptions {
    // kNative is fp32 for fp32 files; kBF16 and kI8 trade precision for speed (docs/adr/0122).
    compute::Arithmetic arithmetic = compute::Arithmetic::kNative;
    // Tokens that run through the layers together. More do not make it faster once the matrix
    // products are efficient, but take memory (about 15 kB a token for MiniLM).
    std::int64_t tokens_per_step = 1'024;
};

// Belongs to one thread at a time, as its backend does.
class Encoder {
public:
    // `backend` outlives the encoder. Errors name the file and what is wrong in it.
    static Result<std::unique_ptr<Encoder>> load(const std::filesystem::path& folder,
                                                 compute::Backend& backend,
                                                 const EncoderOptions& options);

    [[nodiscard]] std::int64_t dimensions() const { return stack_->config().hidden; }
    // Longest input, special tokens included.
    [[nodiscard]] std::int64_t tokens_max() const { return tokens_max_; }
    [[nodiscard]] const SentenceSettings& settings() const { return settings_; }
    [[nodiscard]] const ModelConfig& config() const { return stack_->config(); }
    [[nodiscard]] std::size_t owned_bytes() const { return stack_->owned_bytes(); }
    [[nodiscard]] std::size_t mapped_bytes() const { return stack_->tensors().byte_count(); }

    // One vector for each sequence, in order, into out [batch, dimensions]. The vectors do not
    // depend on what else is in the batch. kInvalidArgument for an empty or too long sequence
    // or an unknown id; nothing is ever cut.
    Result<> embed(std::span<const EncoderSequence> batch, std::span<float> out);

    // The last layer's state of each token into out [tokens, dimensions], neither pooled nor
    // normalised.
    Result<> token_states(const EncoderSequence& sequence, std::span<float> out);

private:
    Encoder(std::unique_ptr<EncoderStack> stack, SentenceSettings settings,
            const EncoderOptions& options);

    Result<> embed_step(std::span<const EncoderSequence> step, std::span<float> out);

    const std::unique_ptr<EncoderStack> stack_;
    const SentenceSettings settings_;
    const EncoderOptions options_;
    const std::int64_t tokens_max_;
};

}  // namespace heddle::model
