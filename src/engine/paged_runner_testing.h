// A stand-in for a model: its key-value memory holds the tokens themselves, in the blocks that
// the plan names, and the logits of a position are a hash of all tokens read back through the
// block table. So an answer changes as soon as the engine gives a block away too early, shares
// the wrong one or computes a position twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/executor.h"
#include "engine/token_table.h"

namespace heddle::engine {

struct PagedRunnerConfig {
    std::size_t block_tokens = 4;
    std::size_t block_count = 64;
    std::size_t vocabulary = 64;
    // Called before every step; may throw to fail it.
    std::function<void(const StepPlan&)> before;
};

class PagedRunner final : public StepRunner {
public:
    explicit PagedRunner(PagedRunnerConfig config);
    void start(SequenceStart start) override;
    [[nodiscard]] StepResult run(const StepPlan& plan) override;

private:
    struct Running {
        SamplerState sampling;
        TokenId last = 0;
    };

    void write(const StepPlan& plan, const StepItem& item);
    [[nodiscard]] std::vector<float> logits_of(const StepPlan& plan, const StepItem& item) const;

    PagedRunnerConfig config_;
    std::vector<TokenId> memory_;
    std::unordered_map<SequenceId, Running> running_;
    Sampler sampler_;
};

// 64 tokens: 0 ends an answer, 1 is special, the others are one printable character each.
[[nodiscard]] const TokenTable& test_tokens();

}  // namespace heddle::engine
