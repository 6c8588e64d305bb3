// The rotary frequencies of a model, with whatever scaling it was made for worked into them.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"

namespace heddle::model {

struct RopeFrequencies {
    std::vector<float> inverse;  // radians a position, [rotary_dim / 2]
    float attention_factor = 1.0F;
};

// context: the longest sequence that will be served. LongRoPE takes its long factors, and the
// dynamic kind its base, from it once and for all, so that a key never depends on what came
// after it.
[[nodiscard]] RopeFrequencies rope_frequencies(const ModelConfig& config, std::int64_t context);
// Of layers with a base of their own (Gemma 3's sliding ones), which are never scaled.
[[nodiscard]] RopeFrequencies unscaled_rope_frequencies(std::int64_t rotary_dim, double base);

}  // namespace heddle::model
