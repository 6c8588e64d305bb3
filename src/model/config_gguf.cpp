// GGUF metadata as llama.cpp's converter writes it. Where that converter changes the weights too
// (query and key rows of Llama, norms of Gemma), the architecture files account for it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "model/config.h"
#include "model/limits.h"

namespace heddle::model {
namespace {

using compute::Activation;

constexpr std::array<std::string_view, 6> kArchitectures = {"llama",  "qwen2",  "qwen3",
                                                            "gemma2", "gemma3", "phi3"};

// The keys of one architecture: "llama.block_count".
class ArchitectureKeys {
public:
    ArchitectureKeys(const GgufFile& gguf, std::string_view architecture)
        : gguf_(gguf), architecture_(architecture) {}

    [[nodiscard]] std::string key(std::string_view name) const {
        return fmt::format("{}.{}", architecture_, name);
    }
    [[nodiscard]] Result<std::int64_t> require(std::string_view name, std::int64_t most) const {
        HEDDLE_TRY(const auto value, gguf_.integer(key(name), 1, most));
        if (!value) {
            return fail(ErrorCode::kCorrupt,
                        fmt::format("{}: metadata {} is missing", gguf_.file().name(), key(name)));
        }
        return *value;
    }
    [[nodiscard]] Result<std::int64_t> integer_or(std::string_view name, std::int64_t fallback,
                                                  std::int64_t least, std::int64_t most) const {
        HEDDLE_TRY(const auto value, gguf_.integer(key(name), least, most));
        return value.value_or(fallback);
    }
    [[nodiscard]] Result<double> number_or(std::string_view name, double fallback, double least,
                                           double most) const {
        HEDDLE_TRY(const auto value, gguf_.number(key(name), least, most));
        return value.value_or(fallback);
    }
    [[nodiscard]] Result<std::string_view> text_or(std::string_view name,
                                                   std::string_view fallback) const {
        HEDDLE_TRY(const auto value, gguf_.text(key(name)));
        return value.value_or(fallback);
    }

private:
    const GgufFile& gguf_;
    std::string_view architecture_;
};

Result<std::int64_t> vocabulary_size(const GgufFile& gguf) {
    const StoredTensor* embeddings = gguf.tensors().find("token_embd.weight");
    if (embeddings == nullptr || embeddings->shape.size() != 2 ||
        embeddings->shape[0] > limits::kVocabularyMax) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: token_embd.weight is missing or no table",
                                                     gguf.file().name()));
    }
    return embeddings->shape[0];
}

Result<> parse_sizes(const GgufFile& gguf, const ArchitectureKeys& keys, ModelConfig& config) {
    HEDDLE_TRY(config.vocabulary, vocabulary_size(gguf));
    HEDDLE_TRY(config.hidden, keys.require("embedding_length", limits::kHiddenMax));
    HEDDLE_TRY(config.intermediate, keys.require("feed_forward_length", limits::kIntermediateMax));
    HEDDLE_TRY(config.layers, keys.require("block_count", limits::kLayersMax));
    HEDDLE_TRY(config.heads, keys.require("attention.head_count", limits::kHeadsMax));
    HEDDLE_TRY(config.kv_heads,
               keys.integer_or("attention.head_count_kv", config.heads, 1, limits::kHeadsMax));
    HEDDLE_TRY(config.head_dim,
               keys.integer_or("attention.key_length", config.hidden / config.heads, 1,
                               limits::kHeadDimMax));
    HEDDLE_TRY(const auto value_dim,
               keys.integer_or("attention.value_length", config.head_dim, 1, limits::kHeadDimMax));
    if (value_dim != config.head_dim || config.head_dim < 1) {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("{}: heads of keys and values differ in size", gguf.file().name()));
    }
    HEDDLE_TRY(config.context, keys.require("context_length", limits::kContextMax));
    HEDDLE_TRY(config.norm_epsilon,
               keys.number_or("attention.layer_norm_rms_epsilon", 1e-5, 0, 0.1));
    config.tied_embeddings = gguf.tensors().find("output.weight") == nullptr;
    return {};
}

Result<> parse_tokens(const GgufFile& gguf, ModelConfig& config) {
    const std::int64_t last = config.vocabulary - 1;
    HEDDLE_TRY(const auto begin, gguf.integer("tokenizer.ggml.bos_token_id", 0, last));
    config.begin_token = begin.value_or(-1);
    for (const std::string_view key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"}) {
        HEDDLE_TRY(const auto end, gguf.integer(key, 0, last));
        if (end && std::ranges::find(config.end_tokens, *end) == config.end_tokens.end()) {
            config.end_tokens.push_back(*end);
        }
    }
    return {};
}

Result<std::vector<float>> frequency_factors(const GgufFile& gguf, std::string_view name,
                                             std::int64_t count) {
    std::vector<float> factors;
    const StoredTensor* tensor = gguf.tensors().find(name);
    if (tensor == nullptr) return factors;
    if (tensor->dtype != compute::DType::kF32 || tensor->shape.size() != 1 ||
        tensor->shape[0] != count) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: {} must hold {} F32 factors",
                                                     gguf.file().name(), name, count));
    }
    factors.resize(static_cast<std::size_t>(count));
    std::ranges::copy(tensor->bytes, std::as_writable_bytes(std::span(factors)).begin());
    return factors;
}

Result<> parse_scaling(const GgufFile& gguf, const ArchitectureKeys& keys, ModelConfig& config) {
    RopeScaling& scaling = config.rope_scaling;
    HEDDLE_TRY(const auto type, keys.text_or("rope.scaling.type", "none"));
    HEDDLE_TRY(scaling.factor, keys.number_or("rope.scaling.factor", 1, 1e-3, 1e6));
    HEDDLE_TRY(scaling.original_context, keys.integer_or("rope.scaling.original_context_length",
                                                         config.context, 1, limits::kContextMax));
    HEDDLE_TRY(const auto attention_factor,
               gguf.number(keys.key("rope.scaling.attn_factor"), 1e-3, 1e3));
    if (type == "linear") {
        scaling.kind = RopeScalingKind::kLinear;
    } else if (type == "yarn") {
        scaling.kind = RopeScalingKind::kYarn;
    } else if (type != "none" && type != "longrope") {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("{}: rope scaling {} is not supported", gguf.file().name(), type));
    }
    const std::int64_t count = config.rotary_dim / 2;
    HEDDLE_TRY(scaling.short_factors, frequency_factors(gguf, "rope_factors_short.weight", count));
    HEDDLE_TRY(scaling.long_factors, frequency_factors(gguf, "rope_factors_long.weight", count));
    // Llama 3.1's scaling comes as a finished table of factors.
    HEDDLE_TRY(const auto factors, frequency_factors(gguf, "rope_freqs.weight", count));
    if (!factors.empty()) {
        scaling.short_factors = factors;
        scaling.long_factors = factors;
        scaling.attention_factor = 1;
    }
    if (!scaling.short_factors.empty()) {
        scaling.kind = RopeScalingKind::kLongRope;
        if (attention_factor) scaling.attention_factor = attention_factor;
    }
    return {};
}

// llama.cpp knows these by the number of layers: the 27B models scale by hidden / heads.
double gemma_query_scale(const ModelConfig& config) {
    const std::int64_t layers_27b = config.architecture == "gemma2" ? 46 : 62;
    return static_cast<double>(config.layers == layers_27b ? config.hidden / config.heads
                                                           : config.head_dim);
}

Result<> parse_family(const ArchitectureKeys& keys, ModelConfig& config) {
    HEDDLE_TRY(config.sliding_window,
               keys.integer_or("attention.sliding_window", 0, 0, limits::kContextMax));
    if (!config.architecture.starts_with("gemma")) return {};
    const bool second = config.architecture == "gemma2";
    config.activation = Activation::kGeluTanh;
    HEDDLE_TRY(config.attention_softcap,
               keys.number_or("attn_logit_softcapping", second ? 50 : 0, 0, 1e6));
    HEDDLE_TRY(config.logit_softcap,
               keys.number_or("final_logit_softcapping", second ? 30 : 0, 0, 1e6));
    config.query_scale = gemma_query_scale(config);
    if (!second) config.local_rope_base = 10'000;
    if (config.sliding_window == 0) return {};
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        config.sliding_layers.push_back((layer + 1) % (second ? 2 : 6) != 0);
    }
    return {};
}

}  // namespace

Result<ModelConfig> parse_gguf_config(const GgufFile& gguf) {
    HEDDLE_TRY(const auto architecture, gguf.text("general.architecture"));
    if (!architecture) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: metadata general.architecture is missing",
                                                     gguf.file().name()));
    }
    if (std::ranges::find(kArchitectures, *architecture) == kArchitectures.end()) {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("{}: architecture {} is not supported", gguf.file().name(),
                                architecture->substr(0, 64)));
    }
    ModelConfig config;
    config.architecture = *architecture;
    const ArchitectureKeys keys(gguf, config.architecture);
    HEDDLE_TRY_VOID(parse_sizes(gguf, keys, config));
    HEDDLE_TRY_VOID(parse_tokens(gguf, config));
    HEDDLE_TRY(
        config.rope_base,
        keys.number_or("rope.freq_base", config.architecture == "gemma3" ? 1e6 : 10'000, 1, 1e15));
    HEDDLE_TRY(config.rotary_dim,
               keys.integer_or("rope.dimension_count", config.head_dim, 2, limits::kHeadDimMax));
    HEDDLE_TRY_VOID(parse_scaling(gguf, keys, config));
    HEDDLE_TRY_VOID(parse_family(keys, config));
    HEDDLE_TRY_VOID(check_config(config, gguf.file().name()));
    return config;
}

}  // namespace heddle::model
