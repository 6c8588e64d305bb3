// The invariants of engine/README.md as code. The simulation runs them after every step.
#include <algorithm>
#include <unordered_set>

#include "base/check.h"
#include "engine/scheduler.h"

namespace heddle::engine {

void Scheduler::check_blocks() const {
    std::vector<std::uint32_t> references(pool_.size(), 0);
    for (const auto& [id, sequence] : sequences_) {
        for (const BlockId block : sequence->blocks) ++references[block];
    }
    std::size_t in_use = 0;
    for (std::size_t block = 0; block < references.size(); ++block) {
        HEDDLE_CHECK(references[block] == pool_.references(static_cast<BlockId>(block)),
                     "a block is referenced once for every table that names it");
        if (references[block] > 0) ++in_use;
    }
    HEDDLE_CHECK(in_use == pool_.in_use(), "no block leaks");
}

void Scheduler::check_item(const StepPlan& plan, const StepItem& item) const {
    const Sequence* sequence = find(item.sequence);
    HEDDLE_CHECK(sequence != nullptr && sequence->inflight > 0, "a planned sequence is known");
    HEDDLE_CHECK(item.padding || sequence->state == SequenceState::kRunning,
                 "only running sequences are planned");
    HEDDLE_CHECK(item.count > 0 && item.tokens_begin + item.count <= plan.tokens.size() &&
                     item.blocks_begin + item.blocks_count <= plan.blocks.size(),
                 "an item's ranges are within its plan");
    HEDDLE_CHECK((item.position + item.count) <= item.blocks_count * config_.block_tokens,
                 "every planned position has a block");
    const auto blocks = plan.blocks_of(item);
    const std::size_t last = (item.position + item.count - 1) / config_.block_tokens;
    for (std::size_t at = item.position / config_.block_tokens; at <= last; ++at) {
        HEDDLE_CHECK(pool_.references(blocks[at]) == 1, "a block that is written is not shared");
    }
}

void Scheduler::check(const StepPlan& plan) const {
    check_blocks();
    HEDDLE_CHECK(running_.size() <= config_.sequences_max, "the running ones are bounded");
    HEDDLE_CHECK(config_.schedule == Schedule::kStatic || plan.tokens.size() <= config_.step_tokens,
                 "a step keeps to its budget");
    std::size_t waiting = 0;
    for (const auto& [id, sequence] : sequences_) {
        HEDDLE_CHECK(sequence->generated() + sequence->pending <= sequence->request.new_tokens_max,
                     "no token is computed beyond the maximum");
        if (sequence->state != SequenceState::kWaiting) continue;
        ++waiting;
        HEDDLE_CHECK(
            sequence->blocks.empty() && sequence->inflight == 0 && sequence->scheduled == 0,
            "who waits holds nothing");
    }
    HEDDLE_CHECK(waiting == queue_.size(), "the queue holds exactly who waits");
    std::unordered_set<SequenceId> seen;
    for (const StepItem& item : plan.items) {
        HEDDLE_CHECK(seen.insert(item.sequence).second, "a sequence is planned once a step");
        check_item(plan, item);
    }
}

}  // namespace heddle::engine
