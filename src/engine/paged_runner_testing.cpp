#include "engine/paged_runner_testing.h"

#include "base/check.h"
#include "base/random.h"

namespace heddle::engine {

PagedRunner::PagedRunner(PagedRunnerConfig config)
    : config_(std::move(config)), memory_(config_.block_count * config_.block_tokens, -1) {}

void PagedRunner::start(SequenceStart start) {
    SamplerState sampling(start.params, start.seed, start.prompt, start.end_ids);
    const bool is_new = running_.emplace(start.sequence, Running{std::move(sampling), 0}).second;
    HEDDLE_CHECK(is_new, "a sequence starts once");
}

void PagedRunner::write(const StepPlan& plan, const StepItem& item) {
    const auto blocks = plan.blocks_of(item);
    for (std::uint32_t i = 0; i < item.count; ++i) {
        const std::size_t position = item.position + i;
        const bool pending = item.input_pending && i + 1 == item.count;
        const TokenId token = pending ? running_.at(item.sequence).last : plan.tokens_of(item)[i];
        memory_[blocks[position / config_.block_tokens] * config_.block_tokens +
                position % config_.block_tokens] = token;
    }
}

std::vector<float> PagedRunner::logits_of(const StepPlan& plan, const StepItem& item) const {
    const auto blocks = plan.blocks_of(item);
    std::uint64_t hash = 1469598103934665603u;
    for (std::size_t position = 0; position <= item.position + item.sample_at; ++position) {
        const TokenId token =
            memory_[blocks[position / config_.block_tokens] * config_.block_tokens +
                    position % config_.block_tokens];
        hash = (hash ^ static_cast<std::uint32_t>(token)) * 1099511628211u;
    }
    Rng rng(hash);
    std::vector<float> logits(config_.vocabulary);
    for (float& logit : logits) logit = static_cast<float>(rng.uniform() * 8);
    return logits;
}

StepResult PagedRunner::run(const StepPlan& plan) {
    for (const SequenceId id : plan.retired) running_.erase(id);
    if (config_.before) config_.before(plan);
    for (const StepItem& item : plan.items) write(plan, item);
    StepResult result;
    for (const StepItem& item : plan.items) {
        if (!item.samples()) continue;
        Running& running = running_.at(item.sequence);
        std::vector<float> logits = logits_of(plan, item);
        auto sample = sampler_.sample(logits, running.sampling);
        StepOutput output;
        output.sequence = item.sequence;
        if (sample) {
            output.sample = std::move(*sample);
            running.last = output.sample.token;
            running.sampling.append(running.last);
        } else {
            output.error = sample.error();
        }
        result.outputs.push_back(std::move(output));
    }
    return result;
}

const TokenTable& test_tokens() {
    static const TokenTable table = [] {
        TokenTable made;
        made.add("", true);
        made.add("<special>", true);
        for (char c = 2; c < 64; ++c) made.add(std::string(1, static_cast<char>(c + 58)), false);
        return made;
    }();
    return table;
}

}  // namespace heddle::engine
