// How the next token is chosen from the logits. Names and meanings are those of the OpenAI API,
// and vLLM's where that has none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/sequence.h"

namespace heddle::engine {

struct SamplingParams {
    float temperature = 1;  // 0: always the likeliest token
    int top_k = 0;          // 0: all
    float top_p = 1;
    float min_p = 0;               // relative to the likeliest token's probability
    float typical_p = 1;           // Meister et al., Locally Typical Sampling (2022)
    float repetition_penalty = 1;  // divides the logits of tokens of prompt and answer
    float presence_penalty = 0;    // subtracted once from tokens of the answer
    float frequency_penalty = 0;   // subtracted for each time in the answer
    std::vector<std::pair<TokenId, float>> logit_bias;
    // The same seed gives the same choices for the same logits. Without one the engine draws one.
    std::optional<std::uint64_t> seed;
    bool logprobs = false;  // of the model's own distribution, before any of the above
    int top_logprobs = 0;
    std::size_t tokens_min = 0;  // no end token, stop id or stop string before
    bool ignore_end = false;     // the model's end tokens are tokens like others
    std::vector<TokenId> stop_ids;
};

// Ranges, and ids within the vocabulary. The message names the field.
[[nodiscard]] Result<void> validate(const SamplingParams& params, std::size_t vocabulary);

}  // namespace heddle::engine
