// The forward pass of decoder-only language models over paged keys and values. One step takes the
// tokens of many sequences, prefill chunks and decodes mixed, without padding; the engine's
// executor lays them out, this carries them through the layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "compute/backend.h"
#include "model/decoder_weights.h"
#include "model/model_files.h"
#include "model/workspace.h"

namespace heddle::model {

struct DecoderOptions {
    compute::Arithmetic arithmetic = compute::Arithmetic::kNative;
    // The largest step that will come: memory is taken once, at load.
    std::int64_t rows_max = 512;
    std::int64_t sequences_max = 64;
    std::int64_t logit_rows_max = 64;
    // Longest sequence served; 0 for all that the model was made for.
    std::int64_t context_max = 0;
    std::int64_t block_tokens = 16;
};

// One step, on the host. Sequences stand one after another in the rows; the rows of a sequence
// are its last positions. Slots are block * block_tokens + offset.
struct DecoderStep {
    std::span<const std::int32_t> tokens;           // [rows]
    std::span<const std::int32_t> positions;        // [rows]
    std::span<const std::int32_t> slots;            // [rows]; negative: keep nothing
    std::span<const std::int32_t> query_starts;     // [sequences + 1], the first row of each
    std::span<const std::int32_t> context_lengths;  // [sequences], with this step's tokens
    std::span<const std::int32_t> block_tables;     // [sequences, block_table_width]
    std::int64_t block_table_width = 0;
    std::span<const std::int32_t> logit_rows;  // rows whose next token is wanted
};

// Belongs to the thread of its backend.
class Decoder {
public:
    // `backend` outlives the decoder. kInvalidArgument for a context_max over the model's.
    static Result<std::unique_ptr<Decoder>> load(std::shared_ptr<const ModelFiles> files,
                                                 compute::Backend& backend,
                                                 const DecoderOptions& options);

    [[nodiscard]] const ModelConfig& config() const { return files_->config(); }
    [[nodiscard]] const DecoderOptions& options() const { return options_; }
    [[nodiscard]] compute::Backend& backend() { return backend_; }
    // For Backend::make_kv_cache().
    [[nodiscard]] compute::KvCacheShape kv_shape(std::int64_t blocks, compute::DType dtype) const;
    [[nodiscard]] std::size_t owned_bytes() const { return weights_.owned_bytes(); }
    [[nodiscard]] std::size_t mapped_bytes() const { return files_->tensors().byte_count(); }

    // Writes the keys and values of all rows to `cache` and returns the logits kF32
    // [logit_rows, vocabulary], in backend memory until the next forward(). A step that breaks
    // the rules above or exceeds the options is a bug; a device that fails throws.
    compute::ConstTensor forward(const DecoderStep& step, compute::KvCache& cache);

private:
    struct Activations;

    Decoder(std::shared_ptr<const ModelFiles> files, compute::Backend& backend,
            const DecoderOptions& options, DecoderTraits traits);

    Result<> reserve();
    void check(const DecoderStep& step) const;
    Activations prepare(const DecoderStep& step);
    void norm(compute::Tensor x, compute::Tensor residual, const WeightVector& weight,
              compute::Tensor y) const;
    void attend(std::int64_t index, const Activations& a, compute::KvCache& cache);
    void rotate(std::int64_t index, const Activations& a);
    void feed_forward(const DecoderLayer& layer, const Activations& a);
    compute::ConstTensor logits(const DecoderStep& step, const Activations& a);

    const std::shared_ptr<const ModelFiles> files_;
    compute::Backend& backend_;
    DecoderOptions options_;
    const DecoderTraits traits_;
    DecoderWeights weights_;
    Workspace workspace_;
};

}  // namespace heddle::model
