// What sampling remembers of each sequence on the host: penalties, chance, the grammar's place.
// Executors choose tokens through it, all of them or those that their device cannot choose.
// One thread at a time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/executor.h"
#include "engine/grammar/matcher.h"
#include "engine/sampler.h"
#include "engine/token_table.h"

namespace heddle::engine {

class SamplingStates {
public:
    // `tokens` outlives this.
    explicit SamplingStates(const TokenTable& tokens) : tokens_(tokens) {}

    void start(SequenceStart start);
    void retire(SequenceId sequence) { running_.erase(sequence); }

    // The next token of a sequence from its row of logits, which may be longer than the
    // vocabulary.
    [[nodiscard]] StepOutput sample(SequenceId sequence, std::span<const float> logits);
    // The token that sample() gave last.
    [[nodiscard]] TokenId last(SequenceId sequence) const { return running_.at(sequence).last; }

    [[nodiscard]] const SamplerState& state(SequenceId sequence) const {
        return running_.at(sequence).sampling;
    }
    // Whether more than temperature, top_k, top_p and min_p decide: a grammar, penalties, biases,
    // typical_p, a minimum length or wanted log probabilities.
    [[nodiscard]] bool is_involved(SequenceId sequence) const {
        return running_.at(sequence).involved;
    }

private:
    struct Running {
        SamplerState sampling;
        std::vector<TokenId> end_ids;
        std::optional<grammar::Matcher> matcher;
        TokenId last = 0;
        bool involved = false;
    };

    [[nodiscard]] std::shared_ptr<grammar::Machine> machine_for(
        const std::shared_ptr<const grammar::Grammar>& grammar);

    const TokenTable& tokens_;
    std::unordered_map<SequenceId, Running> running_;
    Sampler sampler_;
    std::vector<float> row_;                                  // scratch
    std::unique_ptr<grammar::TokenTrie> trie_;                // made for the first constraint
    std::deque<std::shared_ptr<grammar::Machine>> machines_;  // latest first
};

}  // namespace heddle::engine
