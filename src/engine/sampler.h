// Chooses one token from one row of logits, on the host.
//
// The choice is a function of the row, the parameters, the tokens so far and (seed, number of the
// token): chance is drawn from a counter, not from a stream, so that neither the other sequences
// of the batch nor a preemption changes an answer.
// One thread; a SamplerState belongs to one sequence, a Sampler's scratch memory to its caller.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "engine/grammar/token_mask.h"
#include "engine/sampling_params.h"

namespace heddle::engine {

struct TokenLogprob {
    TokenId token = 0;
    float logprob = 0;
};

struct Sample {
    TokenId token = 0;
    float logprob = 0;              // with SamplingParams::logprobs
    std::vector<TokenLogprob> top;  // likeliest first
};

// What penalties and chance remember of one sequence.
class SamplerState {
public:
    // `end_ids` are the tokens that end an answer: they are withheld before tokens_min.
    SamplerState(SamplingParams params, std::uint64_t seed, std::span<const TokenId> prompt,
                 std::vector<TokenId> end_ids);

    // `token` is part of the answer now.
    void append(TokenId token);

    [[nodiscard]] const SamplingParams& params() const { return params_; }
    [[nodiscard]] std::size_t generated() const { return generated_; }
    // Uniform in [0, 1), fixed for this place of this answer.
    [[nodiscard]] double chance() const { return chance_at(generated_); }
    [[nodiscard]] double chance_at(std::size_t place) const;

    // Logit bias, penalties and the minimum length, in place.
    void adjust(std::span<float> logits) const;

private:
    SamplingParams params_;
    std::uint64_t seed_;
    std::vector<TokenId> end_ids_;
    std::unordered_set<TokenId> prompt_;  // only when a penalty looks at it
    std::unordered_map<TokenId, std::uint32_t> answer_;
    std::size_t generated_ = 0;
};

class Sampler {
public:
    // `logits` is one row of the vocabulary and is changed. `mask`, when given, holds the only
    // tokens that may be chosen. An error when no token has a finite logit: nothing is chosen.
    [[nodiscard]] Result<Sample> sample(std::span<float> logits, const SamplerState& state,
                                        const grammar::TokenMask* mask = nullptr);

private:
    struct Candidate {
        float logit = 0;
        TokenId token = 0;
        double probability = 0;
    };

    void collect(std::span<const float> logits, float temperature);
    void keep_top_k(std::size_t count);
    void keep_typical(double mass);
    void keep_top_p(double mass);
    void keep_min_p(double ratio);
    void normalise();
    [[nodiscard]] TokenId draw(double chance) const;

    std::vector<Candidate> candidates_;
};

}  // namespace heddle::engine
