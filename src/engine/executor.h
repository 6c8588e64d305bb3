// The side of the engine that computes. The engine thread hands over steps and takes back their
// tokens; an executor owns the model, the key-value memory and what sampling remembers.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/sampler.h"
#include "engine/step_plan.h"

namespace heddle::engine {

namespace grammar {
class Grammar;
}

// What an executor must know of a sequence before its first step.
struct SequenceStart {
    SequenceId sequence = 0;
    std::vector<TokenId> prompt;
    SamplingParams params;
    std::uint64_t seed = 0;
    std::vector<TokenId> end_ids;
    std::shared_ptr<const grammar::Grammar> grammar;  // null: unconstrained
};

struct StepOutput {
    SequenceId sequence = 0;
    Sample sample;
    // Set when this sequence alone could not go on; `sample` says nothing then.
    std::optional<Error> error;
};

struct StepResult {
    // Set when the step failed as a whole; `outputs` is empty then.
    std::optional<Error> error;
    // One for each item that samples, in the order of the plan.
    std::vector<StepOutput> outputs;
};

// Called from the engine thread only. Steps run in the order of submit(); at most depth() of
// them are in flight.
class Executor {
public:
    virtual ~Executor() = default;
    [[nodiscard]] virtual std::size_t depth() const = 0;
    // Does not block. `starts` are the sequences that appear for the first time in `plan`.
    virtual void submit(std::shared_ptr<const StepPlan> plan,
                        std::vector<SequenceStart> starts) = 0;
    // Waits for the oldest step in flight.
    [[nodiscard]] virtual StepResult collect_blocking() = 0;
};

// Runs one step at a time on the calling thread: what ThreadExecutor puts on a thread of its own.
class StepRunner {
public:
    virtual ~StepRunner() = default;
    virtual void start(SequenceStart start) = 0;
    // May throw: the step has failed as a whole then.
    [[nodiscard]] virtual StepResult run(const StepPlan& plan) = 0;
};

}  // namespace heddle::engine
