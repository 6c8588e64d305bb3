// The continuous schedule: one step out of who runs and who waits.
#include <algorithm>

#include "base/check.h"
#include "engine/scheduler.h"

namespace heddle::engine {

void Scheduler::add_item(StepPlan& plan, Sequence& sequence, std::size_t count) {
    StepItem item;
    item.sequence = sequence.request.id;
    item.position = static_cast<std::uint32_t>(sequence.scheduled);
    item.count = static_cast<std::uint32_t>(count);
    item.tokens_begin = static_cast<std::uint32_t>(plan.tokens.size());
    item.blocks_begin = static_cast<std::uint32_t>(plan.blocks.size());
    item.blocks_count = static_cast<std::uint32_t>(sequence.blocks.size());
    item.sample_at = item.count;

    const std::size_t end = sequence.scheduled + count;
    item.input_pending = end > sequence.tokens.size();
    for (std::size_t at = sequence.scheduled; at < end; ++at) {
        plan.tokens.push_back(at < sequence.tokens.size() ? sequence.tokens[at] : 0);
    }
    plan.blocks.insert(plan.blocks.end(), sequence.blocks.begin(), sequence.blocks.end());
    if (end == sequence.length() && sequence.wants_token()) {
        item.sample_at = item.count - 1;
        ++sequence.pending;
    }
    sequence.scheduled = end;
    ++sequence.inflight;
    queue_.charge(sequence.request.key, count);
    plan.items.push_back(item);
}

void Scheduler::plan_decodes(StepPlan& plan) {
    // A copy: making room for one sequence preempts others, which leave running_.
    const std::vector<Sequence*> candidates = running_;
    for (Sequence* sequence : candidates) {
        if (sequence->state != SequenceState::kRunning || sequence->paused) continue;
        if (!sequence->decoding() || !sequence->wants_token()) continue;
        if (ensure_blocks(*sequence, sequence->scheduled + 1)) add_item(plan, *sequence, 1);
    }
}

void Scheduler::add_chunk(StepPlan& plan, Sequence& sequence) {
    const std::size_t budget = config_.step_tokens - plan.tokens.size();
    add_item(plan, sequence, std::min(budget, sequence.length() - sequence.scheduled));
}

void Scheduler::plan_prefills(StepPlan& plan) {
    for (Sequence* sequence : running_) {
        if (plan.tokens.size() >= config_.step_tokens) return;
        const bool prefilling = sequence->scheduled < sequence->length() && !sequence->decoding();
        if (prefilling && !sequence->paused) add_chunk(plan, *sequence);
    }
}

bool Scheduler::may_start(const Sequence& sequence) const {
    if (sequence.paused) return false;
    if (!config_.prefix_cache || sequence.request.leader == 0) return true;
    const Sequence* leader = find(sequence.request.leader);
    return leader == nullptr || leader->computed >= leader->request.prompt.size() ||
           leader->state == SequenceState::kFinished;
}

void Scheduler::admit(StepPlan& plan, SteadyTime now) {
    const auto ready = [this](const Sequence& sequence) { return may_start(sequence); };
    while (plan.tokens.size() < config_.step_tokens && running_.size() < config_.sequences_max) {
        Sequence* sequence = queue_.next(now, ready);
        if (sequence == nullptr || !reserve_prompt(*sequence)) return;
        start(*sequence);
        add_chunk(plan, *sequence);
    }
}

// Blocks for every token that the sequence has, or nothing at all.
bool Scheduler::reserve_prompt(Sequence& sequence) {
    const std::span<const TokenId> tokens = sequence.tokens;
    std::vector<BlockId> blocks;
    // The last token is always computed: its logits are what the sequence is here for.
    if (config_.prefix_cache) {
        blocks = cache_.match(sequence.request.salt, tokens.first(tokens.size() - 1));
    }
    const std::size_t cached = blocks.size();
    for (const BlockId block : blocks) pool_.retain(block);

    // Those that run will grow; without a reserve the newcomer would be preempted at once.
    const std::size_t reserve =
        running_.empty() ? 0 : std::max<std::size_t>(1, config_.block_count / 64);
    const std::size_t needed = blocks_for(tokens.size()) - cached;
    if (pool_.available() < needed + reserve) {
        for (auto at = blocks.rbegin(); at != blocks.rend(); ++at) pool_.release(*at, true);
        return false;
    }
    for (std::size_t i = 0; i < needed; ++i) blocks.push_back(pool_.allocate());
    if (config_.prefix_cache) cache_.count(tokens.size(), cached * config_.block_tokens);
    if (cached > 0) {
        const BlockId tail = blocks[cached - 1];
        sequence.published_tail = BlockRef{tail, pool_.generation(tail)};
    }
    sequence.published = cached;
    sequence.scheduled = sequence.computed = cached * config_.block_tokens;
    if (!sequence.started) sequence.cached_tokens = sequence.scheduled;
    sequence.blocks = std::move(blocks);
    return true;
}

bool Scheduler::ensure_blocks(Sequence& sequence, std::size_t tokens) {
    const std::size_t needed = blocks_for(tokens);
    if (needed <= sequence.blocks.size()) return true;
    const std::size_t missing = needed - sequence.blocks.size();
    if (!make_room(sequence, missing)) return false;
    for (std::size_t i = 0; i < missing; ++i) sequence.blocks.push_back(pool_.allocate());
    return true;
}

// Preempts until `blocks` are available. False when they will be only after the steps in flight,
// or when `wanting` itself was the one to go.
bool Scheduler::make_room(const Sequence& wanting, std::size_t blocks) {
    while (pool_.available() < blocks) {
        if (pool_.available() + blocks_returning() >= blocks) return false;
        // Planning goes in the order of running_, so its last has no item in this plan yet.
        Sequence* victim = running_.back();
        preempt(*victim);
        if (victim == &wanting) return false;
    }
    return true;
}

std::size_t Scheduler::blocks_returning() const {
    std::size_t count = 0;
    for (const auto& [id, sequence] : sequences_) {
        if (sequence->state != SequenceState::kPreempted &&
            sequence->state != SequenceState::kFinished) {
            continue;
        }
        count += static_cast<std::size_t>(std::ranges::count_if(
            sequence->blocks, [this](BlockId block) { return pool_.references(block) == 1; }));
    }
    return count;
}

void Scheduler::preempt(Sequence& sequence) {
    std::erase(running_, &sequence);
    ++preemptions_;
    sequence.state = SequenceState::kPreempted;
    settle(sequence);
}

// With nothing to compute and nothing in flight, waiting would last for ever: the sequence that
// is next fails instead.
void Scheduler::force_progress(const StepPlan& plan, SteadyTime now) {
    if (!plan.empty() || steps_inflight_ > 0) return;
    const auto stuck = std::ranges::find_if(running_, [](const Sequence* s) { return !s->paused; });
    if (stuck != running_.end()) {
        finish(**stuck, FinishReason::kFailed);
        return;
    }
    const auto ready = [this](const Sequence& sequence) { return may_start(sequence); };
    if (Sequence* next = queue_.next(now, ready)) finish(*next, FinishReason::kFailed);
}

}  // namespace heddle::engine
