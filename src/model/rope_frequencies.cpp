#include "model/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heddle::model {
namespace {

// Llama 3.1: wavelengths over original/low are slowed by the factor, those under original/high
// stay, a linear ramp lies between.
void scale_llama3(const RopeScaling& scaling, std::vector<float>& inverse) {
    const auto original = static_cast<double>(scaling.original_context);
    for (float& frequency : inverse) {
        const double turns = original * frequency / (2 * std::numbers::pi);
        if (turns < scaling.low_frequency_factor) {
            frequency = static_cast<float>(frequency / scaling.factor);
        } else if (turns <= scaling.high_frequency_factor) {
            const double kept = (turns - scaling.low_frequency_factor) /
                                (scaling.high_frequency_factor - scaling.low_frequency_factor);
            frequency =
                static_cast<float>((1 - kept) * frequency / scaling.factor + kept * frequency);
        }
    }
}

double yarn_mscale(double factor, double weight) {
    return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
}

float yarn_attention_factor(const RopeScaling& scaling) {
    if (scaling.attention_factor) return static_cast<float>(*scaling.attention_factor);
    if (scaling.mscale > 0 && scaling.mscale_all_dim > 0) {
        return static_cast<float>(yarn_mscale(scaling.factor, scaling.mscale) /
                                  yarn_mscale(scaling.factor, scaling.mscale_all_dim));
    }
    return static_cast<float>(yarn_mscale(scaling.factor, 1));
}

// Dimensions that turn more than beta_fast times within the original context are kept, those
// below beta_slow are divided by the factor, a ramp lies between.
void scale_yarn(const ModelConfig& config, std::vector<float>& inverse) {
    const RopeScaling& scaling = config.rope_scaling;
    const auto dims = static_cast<double>(config.rotary_dim);
    const auto dimension_of = [&](double turns) {
        return dims *
               std::log(static_cast<double>(scaling.original_context) /
                        (turns * 2 * std::numbers::pi)) /
               (2 * std::log(config.rope_base));
    };
    double low = dimension_of(scaling.beta_fast);
    double high = dimension_of(scaling.beta_slow);
    if (scaling.truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, dims - 1);
    if (low == high) high += 0.001;
    for (std::size_t i = 0; i < inverse.size(); ++i) {
        const double slowed = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
        inverse[i] =
            static_cast<float>(inverse[i] / scaling.factor * slowed + inverse[i] * (1 - slowed));
    }
}

float scale_longrope(const RopeScaling& scaling, std::int64_t context,
                     std::vector<float>& inverse) {
    const bool is_long = context > scaling.original_context;
    const std::vector<float>& factors = is_long ? scaling.long_factors : scaling.short_factors;
    for (std::size_t i = 0; i < inverse.size(); ++i) inverse[i] /= factors[i];
    if (scaling.attention_factor) return static_cast<float>(*scaling.attention_factor);
    if (scaling.factor <= 1) return 1.0F;
    return static_cast<float>(std::sqrt(
        1 + std::log(scaling.factor) / std::log(static_cast<double>(scaling.original_context))));
}

double dynamic_base(const ModelConfig& config, std::int64_t context) {
    const double factor = config.rope_scaling.factor;
    const auto trained = static_cast<double>(config.context);
    const double served = std::max(static_cast<double>(context), trained);
    const auto dims = static_cast<double>(config.rotary_dim);
    if (dims <= 2) return config.rope_base;
    return config.rope_base * std::pow(factor * served / trained - (factor - 1), dims / (dims - 2));
}

}  // namespace

RopeFrequencies unscaled_rope_frequencies(std::int64_t rotary_dim, double base) {
    RopeFrequencies frequencies;
    for (std::int64_t i = 0; i < rotary_dim; i += 2) {
        frequencies.inverse.push_back(static_cast<float>(
            1.0 / std::pow(base, static_cast<double>(i) / static_cast<double>(rotary_dim))));
    }
    return frequencies;
}

RopeFrequencies rope_frequencies(const ModelConfig& config, std::int64_t context) {
    const RopeScaling& scaling = config.rope_scaling;
    const double base = scaling.kind == RopeScalingKind::kDynamic ? dynamic_base(config, context)
                                                                  : config.rope_base;
    RopeFrequencies frequencies = unscaled_rope_frequencies(config.rotary_dim, base);
    switch (scaling.kind) {
        case RopeScalingKind::kNone:
        case RopeScalingKind::kDynamic:
            break;
        case RopeScalingKind::kLinear:
            for (float& frequency : frequencies.inverse) {
                frequency = static_cast<float>(frequency / scaling.factor);
            }
            break;
        case RopeScalingKind::kLlama3:
            scale_llama3(scaling, frequencies.inverse);
            break;
        case RopeScalingKind::kYarn:
            scale_yarn(config, frequencies.inverse);
            frequencies.attention_factor = yarn_attention_factor(scaling);
            break;
        case RopeScalingKind::kLongRope:
            frequencies.attention_factor = scale_longrope(scaling, context, frequencies.inverse);
            break;
    }
    return frequencies;
}

}  // namespace heddle::model
