// The transformer of BERT-like encoders: post-norm layers of bidirectional attention. Sequences
// of any lengths are packed one after another, so no padding is ever computed.
//
// Devlin et al., 2018 (BERT); Liu et al., 2019 (RoBERTa); Günther et al., 2023 (JinaBERT).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compute/backend.h"
#include "model/config.h"
#include "model/stored_tensor.h"
#include "model/weight_loader.h"
#include "model/workspace.h"

namespace heddle::model {

// What tells one encoder architecture from another; each has a file that fills this in.
struct EncoderTraits {
    // Before every tensor of the stack in checkpoints that carry a head: "bert.".
    std::string_view prefix;
    // How a sequence classification head is stored.
    enum class Head { kPooler, kDense };  // pooler + classifier; classifier.dense + .out_proj
    Head head = Head::kPooler;
};

// One input, special tokens included. From `second_segment` on the tokens are of type 1 (the
// passage of a question-passage pair), where the model has types.
struct EncoderSequence {
    std::span<const std::int32_t> tokens;
    std::size_t second_segment = std::numeric_limits<std::size_t>::max();
};

// Hidden states of packed sequences, in the stack's memory until its next forward().
struct EncoderStates {
    compute::ConstTensor rows;    // [all tokens, hidden]
    compute::ConstTensor starts;  // kI32 [sequences + 1], the first row of each
};

// Belongs to the thread of its backend.
class EncoderStack {
public:
    // FOLDER with config.json and safetensors. `backend` outlives the stack.
    static Result<std::unique_ptr<EncoderStack>> load(const std::filesystem::path& folder,
                                                      compute::Backend& backend,
                                                      compute::Arithmetic arithmetic);

    [[nodiscard]] const ModelConfig& config() const { return config_; }
    [[nodiscard]] const EncoderTraits& traits() const { return traits_; }
    [[nodiscard]] const StoredTensors& tensors() const { return tensors_; }
    [[nodiscard]] compute::Backend& backend() { return backend_; }
    // Matrices that the backend holds in memory of its own, beside the mapped file.
    [[nodiscard]] std::size_t owned_bytes() const;

    // Sequences have been checked (encoder_batch.h); `extra` bytes of workspace are left for the
    // caller's own tensors, taken from workspace() until the next forward().
    [[nodiscard]] Result<EncoderStates> forward(std::span<const EncoderSequence> sequences,
                                                std::size_t extra);
    [[nodiscard]] Workspace& workspace() { return workspace_; }

private:
    struct Norm {
        WeightVector weight;
        WeightVector bias;
    };
    struct Layer {
        Linear query, key, value, attention_output;
        Norm attention_norm;
        Linear gate;  // gated MLPs only
        Linear up, down;
        Norm mlp_norm;
    };
    struct Activations;

    EncoderStack(compute::Backend& backend, ModelConfig config, EncoderTraits traits,
                 StoredTensors tensors);

    Result<> load_weights(compute::Arithmetic arithmetic);
    Result<> load_embeddings(const WeightLoader& loader);
    Result<Layer> load_layer(const WeightLoader& loader, std::int64_t index) const;
    Result<> load_mlp(const WeightLoader& loader, const std::string& prefix, Layer& layer) const;
    Result<Norm> load_norm(const WeightLoader& loader, const std::string& name) const;
    Result<Activations> prepare(std::span<const EncoderSequence> sequences, std::size_t extra);
    void embed_tokens(const Activations& a);
    void attend(const Layer& layer, const Activations& a);
    void feed_forward(const Layer& layer, const Activations& a);
    void normalize(const Norm& norm, const Activations& a);

    compute::Backend& backend_;
    const ModelConfig config_;
    const EncoderTraits traits_;
    const StoredTensors tensors_;

    std::string prefix_;
    compute::WeightPtr words_, positions_, types_;
    Norm embedding_norm_;
    std::vector<Layer> layers_;
    WeightVector alibi_slopes_;
    Workspace workspace_;
};

// Slopes of attention with linear biases for any number of heads (Press et al., 2021).
[[nodiscard]] std::vector<float> alibi_slopes(std::int64_t heads);

}  // namespace heddle::model
