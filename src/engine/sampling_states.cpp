#include "engine/sampling_states.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::engine {
namespace {

// Machines that are kept with what they learned, for the next sequence with their grammar.
constexpr std::size_t kMachinesMax = 16;

bool needs_more_than_the_row(const SequenceStart& start) {
    const SamplingParams& params = start.params;
    return start.grammar != nullptr || params.logprobs || !params.logit_bias.empty() ||
           params.repetition_penalty != 1 || params.presence_penalty != 0 ||
           params.frequency_penalty != 0 || params.typical_p < 1 ||
           (params.tokens_min > 0 && !start.end_ids.empty());
}

}  // namespace

std::shared_ptr<grammar::Machine> SamplingStates::machine_for(
    const std::shared_ptr<const grammar::Grammar>& grammar) {
    const auto known = std::ranges::find_if(
        machines_, [&](const auto& machine) { return &machine->grammar() == grammar.get(); });
    std::shared_ptr<grammar::Machine> machine;
    if (known != machines_.end() && !(*known)->exhausted()) {
        machine = *known;
        machines_.erase(known);
    } else {
        if (!trie_) trie_ = std::make_unique<grammar::TokenTrie>(tokens_);
        machine = std::make_shared<grammar::Machine>(grammar, *trie_);
    }
    machines_.push_front(machine);
    if (machines_.size() > kMachinesMax) machines_.pop_back();
    return machine;
}

void SamplingStates::start(SequenceStart start) {
    Running running{SamplerState(start.params, start.seed, start.prompt, start.end_ids),
                    start.end_ids, std::nullopt, 0, needs_more_than_the_row(start)};
    if (start.grammar) running.matcher.emplace(machine_for(start.grammar));
    const bool is_new = running_.emplace(start.sequence, std::move(running)).second;
    HEDDLE_CHECK(is_new, "a sequence starts once");
}

StepOutput SamplingStates::sample(SequenceId sequence, std::span<const float> logits) {
    Running& running = running_.at(sequence);
    StepOutput output;
    output.sequence = sequence;
    // Rows may be padded beyond the vocabulary.
    const auto known = logits.first(tokens_.size());
    row_.assign(known.begin(), known.end());
    std::optional<grammar::TokenMask> mask;
    if (running.matcher) {
        auto allowed = running.matcher->mask(running.end_ids);
        if (!allowed) {
            output.error = std::move(allowed).error();
            return output;
        }
        mask = std::move(*allowed);
    }
    auto chosen = sampler_.sample(row_, running.sampling, mask ? &*mask : nullptr);
    if (!chosen) {
        output.error = std::move(chosen).error();
        return output;
    }
    output.sample = std::move(*chosen);
    running.last = output.sample.token;
    running.sampling.append(running.last);
    const bool ends = std::ranges::find(running.end_ids, running.last) != running.end_ids.end();
    // A mask may allow what leads to an end from which nothing goes on, such as a class without
    // characters: a grammar that a client sent fails its own answer then.
    if (running.matcher && !ends && !running.matcher->accept(running.last)) {
        output.error =
            Error(ErrorCode::kInvalidArgument, "the output constraint cannot be satisfied")
                .with_reason("constraint_unsatisfiable");
    }
    return output;
}

}  // namespace heddle::engine
