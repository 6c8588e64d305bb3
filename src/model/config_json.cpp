// config.json of Hugging Face folders. Both spellings of the rotary settings are read: the old
// rope_theta + rope_scaling, and transformers 5's rope_parameters.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "model/config.h"
#include "model/json_fields.h"
#include "model/limits.h"
#include "model/mapped_file.h"

namespace heddle::model {
namespace {

using compute::Activation;

constexpr std::uint64_t kConfigBytesMax = 4 << 20;

struct ActivationRow {
    std::string_view name;
    Activation activation;
};
constexpr std::array kActivations = {
    ActivationRow{"silu", Activation::kSilu},
    ActivationRow{"swish", Activation::kSilu},
    ActivationRow{"gelu", Activation::kGelu},
    ActivationRow{"gelu_new", Activation::kGeluTanh},
    ActivationRow{"gelu_pytorch_tanh", Activation::kGeluTanh},
    ActivationRow{"relu", Activation::kRelu},
};

struct ScalingRow {
    std::string_view name;
    RopeScalingKind kind;
};
constexpr std::array kScalings = {
    ScalingRow{"default", RopeScalingKind::kNone},
    ScalingRow{"linear", RopeScalingKind::kLinear},
    ScalingRow{"dynamic", RopeScalingKind::kDynamic},
    ScalingRow{"llama3", RopeScalingKind::kLlama3},
    ScalingRow{"yarn", RopeScalingKind::kYarn},
    ScalingRow{"longrope", RopeScalingKind::kLongRope},
    ScalingRow{"su", RopeScalingKind::kLongRope},
};

// Values that transformers takes where a config.json says nothing.
struct Defaults {
    std::string_view model_type;
    bool encoder = false;
    std::int64_t head_dim = 0;  // 0: hidden / heads
    double rope_base = 10'000;
    double norm_epsilon = 1e-6;
    std::string_view activation = "silu";
    bool tied = false;
};
constexpr std::array kDefaults = {
    Defaults{.model_type = "llama"},
    Defaults{.model_type = "mistral"},
    Defaults{.model_type = "qwen2"},
    Defaults{.model_type = "qwen3", .head_dim = 128},
    Defaults{
        .model_type = "gemma2", .head_dim = 256, .activation = "gelu_pytorch_tanh", .tied = true},
    Defaults{.model_type = "gemma3",
             .head_dim = 256,
             .rope_base = 1e6,
             .activation = "gelu_pytorch_tanh",
             .tied = true},
    Defaults{.model_type = "phi3", .norm_epsilon = 1e-5},
    Defaults{.model_type = "bert", .encoder = true, .norm_epsilon = 1e-12, .activation = "gelu"},
    Defaults{.model_type = "roberta", .encoder = true, .norm_epsilon = 1e-12, .activation = "gelu"},
    Defaults{
        .model_type = "xlm-roberta", .encoder = true, .norm_epsilon = 1e-12, .activation = "gelu"},
};

Result<Activation> parse_activation(const JsonFields& fields, std::string_view fallback) {
    std::string_view name = fallback;
    for (const std::string_view field : {"hidden_act", "hidden_activation"}) {
        HEDDLE_TRY(const auto value, fields.text(field));
        if (value) name = *value;
    }
    const auto* const row = std::ranges::find(kActivations, name, &ActivationRow::name);
    if (row == kActivations.end()) {
        return fail(fields.wrong("hidden_act", fmt::format("{} is not supported", name)));
    }
    return row->activation;
}

Result<> parse_sizes(const JsonFields& fields, const Defaults& defaults, ModelConfig& config) {
    HEDDLE_TRY(config.vocabulary, fields.require_integer("vocab_size", 1, limits::kVocabularyMax));
    HEDDLE_TRY(config.hidden, fields.require_integer("hidden_size", 1, limits::kHiddenMax));
    HEDDLE_TRY(config.intermediate,
               fields.require_integer("intermediate_size", 1, limits::kIntermediateMax));
    HEDDLE_TRY(config.layers, fields.require_integer("num_hidden_layers", 1, limits::kLayersMax));
    HEDDLE_TRY(config.heads, fields.require_integer("num_attention_heads", 1, limits::kHeadsMax));
    HEDDLE_TRY(config.kv_heads,
               fields.integer_or("num_key_value_heads", config.heads, 1, limits::kHeadsMax));
    HEDDLE_TRY(const auto head_dim, fields.integer("head_dim", 1, limits::kHeadDimMax));
    if (head_dim) {
        config.head_dim = *head_dim;
    } else if (defaults.head_dim > 0) {
        config.head_dim = defaults.head_dim;
    } else if (config.hidden % config.heads == 0 &&
               config.hidden / config.heads <= limits::kHeadDimMax) {
        config.head_dim = config.hidden / config.heads;
    } else {
        return fail(fields.wrong("hidden_size", "is no multiple of num_attention_heads"));
    }
    HEDDLE_TRY(config.context,
               fields.integer_or("max_position_embeddings", 2'048, 1, limits::kContextMax));
    HEDDLE_TRY(config.norm_epsilon,
               fields.number_or(defaults.encoder ? "layer_norm_eps" : "rms_norm_eps",
                                defaults.norm_epsilon, 0, 0.1));
    HEDDLE_TRY(config.activation, parse_activation(fields, defaults.activation));
    HEDDLE_TRY(config.tied_embeddings, fields.boolean_or("tie_word_embeddings", defaults.tied));
    return {};
}

Result<> parse_tokens(const JsonFields& fields, ModelConfig& config) {
    const std::int64_t last = limits::kVocabularyMax;
    HEDDLE_TRY(const auto begin, fields.integers("bos_token_id", -1, last, 16));
    if (!begin.empty()) config.begin_token = begin.front();
    HEDDLE_TRY(const auto ends, fields.integers("eos_token_id", -1, last, 64));
    if (ends.empty()) return {};
    config.end_tokens.clear();
    std::ranges::copy_if(ends, std::back_inserter(config.end_tokens),
                         [](std::int64_t token) { return token >= 0; });
    return {};
}

Result<RopeScaling> parse_scaling(const JsonFields& fields, const JsonFields& top) {
    RopeScaling scaling;
    HEDDLE_TRY(auto name, fields.text("rope_type"));
    if (!name) {
        HEDDLE_TRY(name, fields.text("type"));
    }
    const auto* const row =
        std::ranges::find(kScalings, name.value_or("default"), &ScalingRow::name);
    if (row == kScalings.end()) {
        return fail(
            Error(ErrorCode::kUnimplemented, fmt::format("rope_type {} is not supported", *name)));
    }
    scaling.kind = row->kind;
    HEDDLE_TRY(scaling.factor, fields.number_or("factor", 0, 0, 1e6));
    HEDDLE_TRY(const auto outer,
               top.integer_or("original_max_position_embeddings", 0, 0, limits::kContextMax));
    HEDDLE_TRY(scaling.original_context, fields.integer_or("original_max_position_embeddings",
                                                           outer, 0, limits::kContextMax));
    HEDDLE_TRY(scaling.low_frequency_factor, fields.number_or("low_freq_factor", 1, 1e-6, 1e6));
    HEDDLE_TRY(scaling.high_frequency_factor, fields.number_or("high_freq_factor", 4, 1e-6, 1e6));
    HEDDLE_TRY(scaling.beta_fast, fields.number_or("beta_fast", 32, 1e-3, 1e6));
    HEDDLE_TRY(scaling.beta_slow, fields.number_or("beta_slow", 1, 1e-3, 1e6));
    HEDDLE_TRY(scaling.truncate, fields.boolean_or("truncate", true));
    HEDDLE_TRY(scaling.mscale, fields.number_or("mscale", 0, 0, 1e3));
    HEDDLE_TRY(scaling.mscale_all_dim, fields.number_or("mscale_all_dim", 0, 0, 1e3));
    HEDDLE_TRY(scaling.attention_factor, fields.number("attention_factor", 1e-3, 1e3));
    HEDDLE_TRY(scaling.short_factors, fields.numbers("short_factor", limits::kHeadDimMax));
    HEDDLE_TRY(scaling.long_factors, fields.numbers("long_factor", limits::kHeadDimMax));
    return scaling;
}

// What is not stated follows from the contexts, as transformers has it.
Result<> complete_scaling(ModelConfig& config, const JsonFields& fields) {
    RopeScaling& scaling = config.rope_scaling;
    if (scaling.kind == RopeScalingKind::kNone) return {};
    if (scaling.original_context == 0) scaling.original_context = config.context;
    if (scaling.factor > 0) return {};
    if (scaling.kind != RopeScalingKind::kYarn && scaling.kind != RopeScalingKind::kLongRope) {
        return fail(fields.wrong("rope_scaling", "lacks its factor"));
    }
    scaling.factor =
        static_cast<double>(config.context) / static_cast<double>(scaling.original_context);
    return {};
}

Result<> parse_rope(const JsonFields& fields, const Defaults& defaults, ModelConfig& config) {
    HEDDLE_TRY(config.rope_base, fields.number_or("rope_theta", defaults.rope_base, 1, 1e15));
    HEDDLE_TRY(const double outer_part, fields.number_or("partial_rotary_factor", 1, 0.01, 1));
    double part = outer_part;
    HEDDLE_TRY(auto rope, fields.object("rope_parameters"));
    if (rope) {
        // Models with two kinds of layers nest one set of parameters for each.
        HEDDLE_TRY(const auto local, rope->object("sliding_attention"));
        if (local) {
            HEDDLE_TRY(config.local_rope_base, local->number("rope_theta", 1, 1e15));
        }
        HEDDLE_TRY(const auto global, rope->object("full_attention"));
        if (global) rope = global;
        HEDDLE_TRY(config.rope_base, rope->number_or("rope_theta", config.rope_base, 1, 1e15));
        HEDDLE_TRY(part, rope->number_or("partial_rotary_factor", part, 0.01, 1));
    } else {
        HEDDLE_TRY(rope, fields.object("rope_scaling"));
    }
    config.rotary_dim = static_cast<std::int64_t>(static_cast<double>(config.head_dim) * part);
    if (!rope) return {};
    HEDDLE_TRY(config.rope_scaling, parse_scaling(*rope, fields));
    return complete_scaling(config, fields);
}

// layer_types (transformers 5), else each family's own older way to say it.
Result<> parse_windows(const JsonFields& fields, ModelConfig& config) {
    HEDDLE_TRY(const auto window, fields.integer("sliding_window", 1, limits::kContextMax));
    HEDDLE_TRY(const bool enabled,
               fields.boolean_or("use_sliding_window",
                                 config.architecture != "qwen2" && config.architecture != "qwen3"));
    if (!window || !enabled) return {};
    config.sliding_window = *window;
    HEDDLE_TRY(const auto types, fields.texts("layer_types", limits::kLayersMax));
    for (const std::string_view type : types) {
        if (type != "sliding_attention" && type != "full_attention") {
            return fail(fields.wrong("layer_types", fmt::format("{} is not supported", type)));
        }
        config.sliding_layers.push_back(type == "sliding_attention");
    }
    if (!types.empty()) return {};
    HEDDLE_TRY(const auto pattern,
               fields.integer_or("sliding_window_pattern", config.architecture == "gemma3" ? 6 : 2,
                                 1, limits::kLayersMax));
    HEDDLE_TRY(const auto full_layers,
               fields.integer_or("max_window_layers", 28, 0, limits::kLayersMax));
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        if (config.architecture.starts_with("gemma")) {
            config.sliding_layers.push_back((layer + 1) % pattern != 0);
        } else if (config.architecture.starts_with("qwen")) {
            config.sliding_layers.push_back(layer >= full_layers);
        }
    }
    return {};
}

Result<> parse_gemma(const JsonFields& fields, ModelConfig& config) {
    const bool second = config.architecture == "gemma2";
    HEDDLE_TRY(config.attention_softcap,
               fields.number_or("attn_logit_softcapping",
                                second && !fields.has("layer_types") ? 50 : 0, 0, 1e6));
    HEDDLE_TRY(config.logit_softcap,
               fields.number_or("final_logit_softcapping",
                                second && !fields.has("layer_types") ? 30 : 0, 0, 1e6));
    HEDDLE_TRY(const double scalar, fields.number_or("query_pre_attn_scalar", 256, 1e-3, 1e6));
    config.query_scale = scalar;
    if (!second && !config.local_rope_base) {
        HEDDLE_TRY(config.local_rope_base,
                   fields.number_or("rope_local_base_freq", 10'000, 1, 1e15));
    }
    HEDDLE_TRY(const bool both, fields.boolean_or("use_bidirectional_attention", false));
    if (both) {
        return fail(ErrorCode::kUnimplemented, "config.json: bidirectional Gemma is not supported");
    }
    return {};
}

Result<> parse_encoder(const JsonFields& fields, ModelConfig& config) {
    HEDDLE_TRY(config.token_types, fields.integer_or("type_vocab_size", 2, 0, 1'024));
    HEDDLE_TRY(const auto kind, fields.text("position_embedding_type"));
    config.positions = PositionKind::kAbsolute;
    if (kind == "alibi") {
        config.architecture = "jina_bert";
        config.positions = PositionKind::kAlibi;
        HEDDLE_TRY(const auto mlp, fields.text("feed_forward_type"));
        config.gated_mlp = mlp == "geglu" || mlp == "reglu";
        if (mlp == "reglu") config.activation = Activation::kRelu;
    } else if (kind && *kind != "absolute") {
        return fail(Error(ErrorCode::kUnimplemented,
                          fmt::format("position_embedding_type {} is not supported", *kind)));
    }
    if (config.architecture != "bert" && config.architecture != "jina_bert") {
        HEDDLE_TRY(const auto pad, fields.integer_or("pad_token_id", 1, 0, 1'024));
        config.position_offset = pad + 1;
        config.context -= config.position_offset;
        if (config.context < 1) {
            return fail(fields.wrong("max_position_embeddings", "leaves no position"));
        }
    }
    HEDDLE_TRY(const auto names, fields.texts("architectures", 16));
    const bool classifies = std::ranges::any_of(
        names, [](std::string_view name) { return name.ends_with("ForSequenceClassification"); });
    if (classifies) {
        HEDDLE_TRY(const auto labels, fields.object("id2label"));
        HEDDLE_TRY(config.labels, fields.integer_or("num_labels", 0, 0, 1'024));
        if (config.labels == 0) config.labels = labels ? labels->count() : 2;
    }
    return {};
}

Result<ModelConfig> parse_fields(const JsonFields& fields, const Defaults& defaults) {
    ModelConfig config;
    config.architecture = defaults.model_type;
    HEDDLE_TRY_VOID(parse_sizes(fields, defaults, config));
    HEDDLE_TRY_VOID(parse_tokens(fields, config));
    if (defaults.encoder) {
        HEDDLE_TRY_VOID(parse_encoder(fields, config));
    } else {
        HEDDLE_TRY_VOID(parse_rope(fields, defaults, config));
        HEDDLE_TRY_VOID(parse_windows(fields, config));
        if (config.architecture.starts_with("gemma")) HEDDLE_TRY_VOID(parse_gemma(fields, config));
    }
    HEDDLE_TRY_VOID(check_config(config, "config.json"));
    return config;
}

}  // namespace

Result<ModelConfig> parse_config_json(const std::string& text) {
    simdjson::dom::parser parser;
    HEDDLE_TRY(auto fields, parse_json_object(parser, text, "config.json"));
    HEDDLE_TRY(const auto stated, fields.text("model_type"));
    if (!stated) return fail(fields.wrong("model_type", "is missing"));
    std::string_view type = *stated;
    if (type == "gemma3") {  // the image-and-text model: its language part
        HEDDLE_TRY(const auto inner, fields.object("text_config"));
        if (inner) fields = *inner;
    }
    if (type == "gemma3_text") type = "gemma3";
    const auto* const defaults = std::ranges::find(kDefaults, type, &Defaults::model_type);
    if (defaults == kDefaults.end()) {
        return fail(ErrorCode::kUnimplemented,
                    fmt::format("config.json: model_type {} is not supported", type.substr(0, 64)));
    }
    return parse_fields(fields, *defaults);
}

Result<ModelConfig> load_folder_config(const std::filesystem::path& folder) {
    HEDDLE_TRY(const std::string text, read_text_file(folder / "config.json", kConfigBytesMax));
    HEDDLE_TRY(ModelConfig config, parse_config_json(text));
    const auto generation = folder / "generation_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(generation, ignored)) return config;
    HEDDLE_TRY(const std::string more, read_text_file(generation, kConfigBytesMax));
    simdjson::dom::parser parser;
    HEDDLE_TRY(const auto fields, parse_json_object(parser, more, "generation_config.json"));
    HEDDLE_TRY_VOID(parse_tokens(fields, config));
    HEDDLE_TRY_VOID(check_config(config, "generation_config.json"));
    return config;
}

}  // namespace heddle::model
