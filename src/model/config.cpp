#include "model/config.h"

#include <fmt/format.h>

namespace heddle::model {
namespace {

Error corrupt(std::string_view where, std::string_view what) {
    return {ErrorCode::kCorrupt, fmt::format("{}: {}", where, what)};
}

Result<> check_rope(const ModelConfig& config, std::string_view where) {
    if (config.rotary_dim < 2 || config.rotary_dim > config.head_dim ||
        config.rotary_dim % 2 != 0) {
        return fail(corrupt(where, fmt::format("{} rotary dimensions do not fit heads of {}",
                                               config.rotary_dim, config.head_dim)));
    }
    const RopeScaling& scaling = config.rope_scaling;
    const auto frequencies = static_cast<std::size_t>(config.rotary_dim / 2);
    if (scaling.kind == RopeScalingKind::kLongRope &&
        (scaling.short_factors.size() != frequencies ||
         scaling.long_factors.size() != frequencies)) {
        return fail(
            corrupt(where, fmt::format("longrope needs {} short and long factors", frequencies)));
    }
    const bool needs_original = scaling.kind == RopeScalingKind::kLlama3 ||
                                scaling.kind == RopeScalingKind::kYarn ||
                                scaling.kind == RopeScalingKind::kLongRope;
    if (needs_original && scaling.original_context < 2) {
        return fail(corrupt(where, "the rope scaling lacks the original context"));
    }
    for (const auto* factors : {&scaling.short_factors, &scaling.long_factors}) {
        for (const float factor : *factors) {
            if (!(factor >= 1e-6F && factor <= 1e6F)) {
                return fail(corrupt(where, "a rope factor is out of range"));
            }
        }
    }
    if (scaling.kind == RopeScalingKind::kLlama3 &&
        !(scaling.high_frequency_factor > scaling.low_frequency_factor)) {
        return fail(corrupt(where, "high_freq_factor must exceed low_freq_factor"));
    }
    return {};
}

}  // namespace

Result<> check_config(const ModelConfig& config, std::string_view where) {
    if (config.kv_heads > config.heads || config.heads % config.kv_heads != 0) {
        return fail(corrupt(where, fmt::format("{} query heads are no multiple of {} key heads",
                                               config.heads, config.kv_heads)));
    }
    if (config.positions == PositionKind::kRotary) HEDDLE_TRY_VOID(check_rope(config, where));
    if (!config.sliding_layers.empty() &&
        config.sliding_layers.size() != static_cast<std::size_t>(config.layers)) {
        return fail(corrupt(where, fmt::format("layer_types has {} entries for {} layers",
                                               config.sliding_layers.size(), config.layers)));
    }
    if (config.begin_token >= config.vocabulary) {
        return fail(corrupt(where, "the begin token lies outside the vocabulary"));
    }
    for (const std::int64_t token : config.end_tokens) {
        if (token >= config.vocabulary) {
            return fail(corrupt(where, "an end token lies outside the vocabulary"));
        }
    }
    return {};
}

}  // namespace heddle::model
