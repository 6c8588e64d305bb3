// The shape of a model, read from a Hugging Face config.json or from GGUF metadata into one
// typed form. Every number is in a range that the arithmetic behind it can bear: an invalid file
// is refused here, before a byte of weights is looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "compute/backend.h"
#include "model/gguf.h"

namespace heddle::model {

// How the rotary frequencies are stretched past the trained context.
enum class RopeScalingKind {
    kNone,
    kLinear,    // positions divided by factor
    kDynamic,   // NTK-aware: the base grows with the context served
    kLlama3,    // long wavelengths divided, short kept, a ramp between (Llama 3.1)
    kYarn,      // Peng et al., 2023, "YaRN"
    kLongRope,  // Ding et al., 2024, "LongRoPE": a factor for each frequency (Phi-3)
};

struct RopeScaling {
    RopeScalingKind kind = RopeScalingKind::kNone;
    double factor = 1;
    std::int64_t original_context = 0;  // trained positions; 0 when not stated
    double low_frequency_factor = 1;    // Llama 3
    double high_frequency_factor = 4;
    double beta_fast = 32;  // YaRN
    double beta_slow = 1;
    bool truncate = true;
    double mscale = 0;  // 0 when not stated
    double mscale_all_dim = 0;
    std::optional<double> attention_factor;
    std::vector<float> short_factors;  // LongRoPE, one for each frequency
    std::vector<float> long_factors;
};

enum class PositionKind { kRotary, kAbsolute, kAlibi };

struct ModelConfig {
    // Hugging Face's model_type, with "jina_bert" told apart from "bert".
    std::string architecture;

    std::int64_t vocabulary = 0;
    std::int64_t hidden = 0;
    std::int64_t intermediate = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t context = 0;  // positions that the model was made for
    double norm_epsilon = 1e-5;
    compute::Activation activation = compute::Activation::kSilu;
    bool tied_embeddings = false;

    PositionKind positions = PositionKind::kRotary;
    std::int64_t rotary_dim = 0;
    double rope_base = 10'000;
    RopeScaling rope_scaling;
    std::optional<double> local_rope_base;  // of sliding layers, where it differs (Gemma 3)

    std::int64_t sliding_window = 0;   // 0: none
    std::vector<bool> sliding_layers;  // which layers have it; empty: all, where there is one
    double attention_softcap = 0;      // 0: none
    double logit_softcap = 0;
    std::optional<double> query_scale;  // scores are divided by its root, in place of head_dim's

    // Encoders.
    std::int64_t token_types = 0;
    std::int64_t position_offset = 0;  // position of the first token (RoBERTa: pad + 1)
    bool gated_mlp = false;            // JinaBERT's GEGLU
    std::int64_t labels = 0;           // outputs of a classification head; 0: none

    std::int64_t begin_token = -1;  // -1: not stated
    std::vector<std::int64_t> end_tokens;

    [[nodiscard]] std::int64_t query_width() const { return heads * head_dim; }
    [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_dim; }
    // The window of one layer; 0 for full attention.
    [[nodiscard]] std::int64_t window_of(std::int64_t layer) const {
        if (sliding_layers.empty()) return sliding_window;
        return sliding_layers[static_cast<std::size_t>(layer)] ? sliding_window : 0;
    }
};

// From the text of a config.json. kCorrupt for a value out of range, kUnimplemented for an
// architecture or a feature that is not built.
[[nodiscard]] Result<ModelConfig> parse_config_json(const std::string& text);
// FOLDER/config.json, and FOLDER/generation_config.json for the end tokens where it is there.
[[nodiscard]] Result<ModelConfig> load_folder_config(const std::filesystem::path& folder);

// From GGUF metadata; the shapes of some tensors stand in where a key is optional.
[[nodiscard]] Result<ModelConfig> parse_gguf_config(const GgufFile& gguf);

// Relations between the fields that hold for every architecture; the parsers call it last.
[[nodiscard]] Result<> check_config(const ModelConfig& config, std::string_view where);

}  // namespace heddle::model
