#include "engine/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heddle::engine {

std::string_view to_string(FinishReason reason) {
    switch (reason) {
        case FinishReason::kNone:
            return "none";
        case FinishReason::kStop:
            return "stop";
        case FinishReason::kLength:
            return "length";
        case FinishReason::kCancelled:
            return "cancelled";
        case FinishReason::kDeadline:
            return "deadline";
        case FinishReason::kFailed:
            return "failed";
    }
    return "none";
}

Scheduler::Scheduler(SchedulerConfig config)
    : config_(config),
      pool_(config.block_count),
      cache_(pool_, config.block_tokens),
      queue_(config.ageing) {
    HEDDLE_CHECK(config.block_tokens > 0 && config.block_count > 0, "there are blocks");
    HEDDLE_CHECK(config.sequences_max > 0 && config.step_tokens >= config.sequences_max,
                 "a step has room for one token of every running sequence");
    HEDDLE_CHECK(config.ageing.count() > 0, "ageing takes time");
}

std::size_t Scheduler::blocks_for(std::size_t tokens) const {
    return (tokens + config_.block_tokens - 1) / config_.block_tokens;
}

Result<void> Scheduler::feasible(std::size_t prompt_tokens, std::size_t new_tokens_max) const {
    if (prompt_tokens == 0) {
        return fail(Error(ErrorCode::kInvalidArgument, "the prompt is empty").with_param("prompt"));
    }
    if (new_tokens_max == 0) {
        return fail(Error(ErrorCode::kInvalidArgument, "max_tokens must be at least 1")
                        .with_param("max_tokens"));
    }
    const std::size_t window =
        std::min(config_.context_tokens_max, config_.block_count * config_.block_tokens);
    if (prompt_tokens >= window || new_tokens_max > window - prompt_tokens) {
        return fail(
            Error(
                ErrorCode::kInvalidArgument,
                fmt::format("This model's maximum context length is {} tokens, but {} were "
                            "requested ({} in the prompt, {} to be generated).",
                            window, prompt_tokens + new_tokens_max, prompt_tokens, new_tokens_max))
                .with_reason("context_length_exceeded")
                .with_param("prompt"));
    }
    return {};
}

void Scheduler::add(SequenceRequest request, SteadyTime now) {
    HEDDLE_CHECK(feasible(request.prompt.size(), request.new_tokens_max).has_value(),
                 "only feasible requests are added");
    auto owned = std::make_unique<Sequence>();
    Sequence& sequence = *owned;
    sequence.tokens = request.prompt;
    sequence.request = std::move(request);
    sequence.arrived = now;
    const bool is_new = sequences_.emplace(sequence.request.id, std::move(owned)).second;
    HEDDLE_CHECK(is_new && sequence.request.id != 0, "sequence ids are used once");
    ++sequences_of_key_[sequence.request.key];
    queue_.push(sequence);
}

const Sequence* Scheduler::find(SequenceId id) const {
    const auto at = sequences_.find(id);
    return at == sequences_.end() ? nullptr : at->second.get();
}

Sequence* Scheduler::find_mutable(SequenceId id) {
    const auto at = sequences_.find(id);
    return at == sequences_.end() ? nullptr : at->second.get();
}

StepPlan Scheduler::plan(SteadyTime now) {
    StepPlan plan;
    plan.step = ++steps_;
    sweep(now);
    if (config_.schedule == Schedule::kStatic) {
        plan_static(plan, now);
    } else {
        plan_decodes(plan);
        plan_prefills(plan);
        admit(plan, now);
        force_progress(plan, now);
    }
    if (!plan.empty()) {
        plan.retired = std::exchange(retired_, {});
        ++steps_inflight_;
    }
    return plan;
}

void Scheduler::sweep(SteadyTime now) {
    std::vector<std::pair<Sequence*, FinishReason>> ending;
    for (const auto& [id, sequence] : sequences_) {
        if (sequence->state == SequenceState::kFinished) continue;
        const auto& flag = sequence->request.cancelled;
        if (flag && flag->load(std::memory_order_relaxed)) {
            ending.emplace_back(sequence.get(), FinishReason::kCancelled);
        } else if (sequence->request.deadline && now >= *sequence->request.deadline) {
            ending.emplace_back(sequence.get(), FinishReason::kDeadline);
        }
    }
    std::ranges::sort(ending, {}, [](const auto& end) { return end.first->request.id; });
    for (const auto& [sequence, reason] : ending) finish(*sequence, reason);
}

void Scheduler::finish(SequenceId id, FinishReason reason) {
    if (Sequence* sequence = find_mutable(id)) finish(*sequence, reason);
}

void Scheduler::finish(Sequence& sequence, FinishReason reason) {
    if (sequence.state == SequenceState::kFinished) return;
    // A preempted sequence is in no list until its steps are back.
    if (sequence.state == SequenceState::kWaiting) queue_.remove(sequence);
    if (sequence.state == SequenceState::kRunning) std::erase(running_, &sequence);
    sequence.state = SequenceState::kFinished;
    sequence.reason = reason;
    finished_.push_back({sequence.request.id, reason});
    const bool in_batch = std::ranges::find(batch_, &sequence) != batch_.end();
    if (sequence.inflight == 0 && !in_batch) retire(sequence);
}

void Scheduler::release_blocks(Sequence& sequence) {
    // Last block first, so that the tail of a prefix is evicted before its head.
    for (auto at = sequence.blocks.rbegin(); at != sequence.blocks.rend(); ++at) {
        pool_.release(*at, cache_.is_published(*at));
    }
    sequence.blocks.clear();
    sequence.published = 0;
    sequence.published_tail.reset();
    sequence.publishing = true;
    sequence.scheduled = 0;
    sequence.computed = 0;
}

// Ends the sequence's life: the reference is dangling afterwards.
void Scheduler::retire(Sequence& sequence) {
    HEDDLE_CHECK(sequence.inflight == 0, "no step in flight touches a sequence that retires");
    release_blocks(sequence);
    if (sequence.started) retired_.push_back(sequence.request.id);
    const std::string key = sequence.request.key;
    if (--sequences_of_key_.at(key) == 0) {
        sequences_of_key_.erase(key);
        queue_.leave(key);
    }
    sequences_.erase(sequence.request.id);
}

void Scheduler::start(Sequence& sequence) {
    queue_.remove(sequence);
    sequence.state = SequenceState::kRunning;
    if (!sequence.started) started_.push_back(sequence.request.id);
    sequence.started = true;
    const auto before = [](const Sequence* a, const Sequence* b) {
        if (a->request.priority != b->request.priority) {
            return a->request.priority > b->request.priority;
        }
        return a->request.id < b->request.id;
    };
    running_.insert(std::ranges::upper_bound(running_, &sequence, before), &sequence);
}

// The step that just came back was the last in flight for this sequence.
void Scheduler::settle(Sequence& sequence) {
    if (sequence.inflight > 0) return;
    if (sequence.state == SequenceState::kPreempted) {
        release_blocks(sequence);
        sequence.state = SequenceState::kWaiting;
        queue_.push_preempted(sequence);
    } else if (sequence.state == SequenceState::kFinished &&
               std::ranges::find(batch_, &sequence) == batch_.end()) {
        retire(sequence);
    }
}

void Scheduler::complete(const StepPlan& plan, std::span<const SampledToken> sampled) {
    HEDDLE_CHECK(steps_inflight_ > 0, "a step that completes was planned");
    --steps_inflight_;
    std::size_t next = 0;
    for (const StepItem& item : plan.items) {
        Sequence* sequence = find_mutable(item.sequence);
        HEDDLE_CHECK(sequence != nullptr && sequence->inflight > 0,
                     "a sequence stays while a step in flight touches it");
        --sequence->inflight;
        sequence->computed = std::min<std::size_t>(sequence->scheduled, item.position + item.count);
        if (item.samples()) {
            HEDDLE_CHECK(next < sampled.size() && sampled[next].sequence == item.sequence,
                         "a token comes back for every item that samples, in order");
            if (!item.padding) {
                --sequence->pending;
                if (sequence->state != SequenceState::kFinished) {
                    sequence->tokens.push_back(sampled[next].token);
                }
            }
            ++next;
        }
        if (sequence->state == SequenceState::kRunning) publish(*sequence);
        settle(*sequence);
    }
    HEDDLE_CHECK(next == sampled.size(), "no token comes back that was not asked for");
}

void Scheduler::abandon(const StepPlan& plan) {
    HEDDLE_CHECK(steps_inflight_ > 0, "a step that fails was planned");
    --steps_inflight_;
    for (const StepItem& item : plan.items) {
        Sequence* sequence = find_mutable(item.sequence);
        HEDDLE_CHECK(sequence != nullptr && sequence->inflight > 0,
                     "a sequence stays while a step in flight touches it");
        finish(*sequence, FinishReason::kFailed);
        --sequence->inflight;
        settle(*sequence);
    }
}

void Scheduler::publish(Sequence& sequence) {
    if (!config_.prefix_cache || config_.schedule == Schedule::kStatic) return;
    const std::size_t known = std::min(sequence.computed, sequence.tokens.size());
    const std::size_t full = known / config_.block_tokens;
    while (sequence.publishing && sequence.published < full) {
        const std::size_t at = sequence.published;
        const auto tokens = std::span<const TokenId>(sequence.tokens)
                                .subspan(at * config_.block_tokens, config_.block_tokens);
        sequence.published_tail = cache_.publish(sequence.blocks[at], sequence.published_tail,
                                                 sequence.request.salt, tokens);
        sequence.publishing = sequence.published_tail.has_value();
        ++sequence.published;
    }
}

void Scheduler::set_paused(SequenceId id, bool paused) {
    if (Sequence* sequence = find_mutable(id)) sequence->paused = paused;
}

std::vector<FinishedSequence> Scheduler::take_finished() {
    return std::exchange(finished_, {});
}

std::vector<SequenceId> Scheduler::take_started() {
    return std::exchange(started_, {});
}

SchedulerStats Scheduler::stats() const {
    return {.waiting = queue_.size(),
            .running = running_.size(),
            .blocks = pool_.size(),
            .blocks_in_use = pool_.in_use(),
            .preemptions = preemptions_,
            .prefix_queried_tokens = cache_.queried_tokens(),
            .prefix_hit_tokens = cache_.hit_tokens(),
            .prefix_evicted_blocks = cache_.evicted_blocks()};
}

}  // namespace heddle::engine
