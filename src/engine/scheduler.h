// Decides what the next step computes: a function of who waits, who runs, the free blocks, the
// budgets and the time that it is told. It never touches a device, a clock or a lock.
//
// A step takes every decoding sequence first (one token each), then prompt chunks up to the token
// budget, oldest first, then starts waiting sequences (engine/fair_queue.h) while blocks last. A
// sequence starts only when its whole prompt has blocks; the first that does not fit ends the
// pass, so that small late ones cannot starve it. When a running one lacks a block, the newest
// of the lowest priority gives up its own and is recomputed later from its tokens.
//
// plan() may be called again before the step before is complete(): the token that that step
// samples then counts as pending. Blocks return to the pool only when no step in flight touches
// their sequence.
// Engine thread only. The static schedule is the naive baseline: static_schedule.cpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/block_pool.h"
#include "engine/fair_queue.h"
#include "engine/prefix_cache.h"
#include "engine/sequence.h"
#include "engine/step_plan.h"

namespace heddle::engine {

enum class Schedule : std::uint8_t { kContinuous, kStatic };

struct SchedulerConfig {
    Schedule schedule = Schedule::kContinuous;
    std::size_t block_tokens = 16;
    std::size_t block_count = 4096;
    std::size_t step_tokens = 512;   // budget of one step; at least sequences_max
    std::size_t sequences_max = 64;  // running at once
    std::size_t context_tokens_max = 4096;
    bool prefix_cache = true;
    std::chrono::nanoseconds ageing = std::chrono::seconds(2);
    std::size_t static_batch = 16;  // Schedule::kStatic only
};

// The token sampled for one item of a plan.
struct SampledToken {
    SequenceId sequence = 0;
    TokenId token = 0;
};

struct FinishedSequence {
    SequenceId sequence = 0;
    FinishReason reason = FinishReason::kNone;
};

struct SchedulerStats {
    std::size_t waiting = 0;
    std::size_t running = 0;
    std::size_t blocks = 0;
    std::size_t blocks_in_use = 0;
    std::uint64_t preemptions = 0;
    std::uint64_t prefix_queried_tokens = 0;
    std::uint64_t prefix_hit_tokens = 0;
    std::uint64_t prefix_evicted_blocks = 0;
};

class Scheduler {
public:
    explicit Scheduler(SchedulerConfig config);

    // Whether such a request could ever run: an empty prompt, one beyond the context window
    // (`context_length_exceeded`) or beyond all blocks is refused. Thread-safe.
    [[nodiscard]] Result<void> feasible(std::size_t prompt_tokens,
                                        std::size_t new_tokens_max) const;

    // Ids must rise. The request must be feasible.
    void add(SequenceRequest request, SteadyTime now);

    // The next step; empty when nothing can be computed now. Ends cancelled and late sequences
    // first.
    [[nodiscard]] StepPlan plan(SteadyTime now);

    // `plan` is back, in the order in which plans were made. `sampled` has one entry for each of
    // its items that samples.
    void complete(const StepPlan& plan, std::span<const SampledToken> sampled);

    // `plan` failed as a whole: its sequences end with kFailed.
    void abandon(const StepPlan& plan);

    // No more tokens for this sequence. Unknown or already finished: nothing happens.
    void finish(SequenceId id, FinishReason reason);
    // A paused sequence keeps its blocks and is not planned.
    void set_paused(SequenceId id, bool paused);

    // Null once it is gone. The pointer is good until the next call that is not const.
    [[nodiscard]] const Sequence* find(SequenceId id) const;
    // Sequences that ended since the last call, by the caller's finish() or by themselves.
    [[nodiscard]] std::vector<FinishedSequence> take_finished();
    // Sequences that left the queue for the first time since the last call.
    [[nodiscard]] std::vector<SequenceId> take_started();

    [[nodiscard]] bool idle() const { return sequences_.empty(); }
    [[nodiscard]] SchedulerStats stats() const;
    [[nodiscard]] const SchedulerConfig& config() const { return config_; }

    // Aborts when an invariant of the state or of `plan`, just made, does not hold; for tests.
    void check(const StepPlan& plan) const;

private:
    // scheduler.cpp
    void sweep(SteadyTime now);
    void finish(Sequence& sequence, FinishReason reason);  // may retire it
    void retire(Sequence& sequence);
    void release_blocks(Sequence& sequence);
    void start(Sequence& sequence);
    void publish(Sequence& sequence);
    Sequence* find_mutable(SequenceId id);
    void settle(Sequence& sequence);
    [[nodiscard]] std::size_t blocks_for(std::size_t tokens) const;

    // schedule_step.cpp
    void plan_decodes(StepPlan& plan);
    void plan_prefills(StepPlan& plan);
    void admit(StepPlan& plan, SteadyTime now);
    bool reserve_prompt(Sequence& sequence);
    [[nodiscard]] bool may_start(const Sequence& sequence) const;
    bool ensure_blocks(Sequence& sequence, std::size_t tokens);
    bool make_room(const Sequence& wanting, std::size_t blocks);
    void preempt(Sequence& sequence);
    [[nodiscard]] std::size_t blocks_returning() const;
    void force_progress(const StepPlan& plan, SteadyTime now);
    void add_chunk(StepPlan& plan, Sequence& sequence);
    void add_item(StepPlan& plan, Sequence& sequence, std::size_t count);

    // scheduler_check.cpp
    void check_blocks() const;
    void check_item(const StepPlan& plan, const StepItem& item) const;

    // static_schedule.cpp
    void plan_static(StepPlan& plan, SteadyTime now);
    void start_static_batch(StepPlan& plan, SteadyTime now);
    void add_padded_prompt(StepPlan& plan, Sequence& sequence, std::size_t length);
    void add_padding_item(StepPlan& plan, Sequence& sequence);
    void end_static_batch();

    const SchedulerConfig config_;
    BlockPool pool_;
    PrefixCache cache_;
    FairQueue queue_;
    std::unordered_map<SequenceId, std::unique_ptr<Sequence>> sequences_;
    std::unordered_map<std::string, std::size_t> sequences_of_key_;
    std::vector<Sequence*> running_;  // highest priority first, then by arrival
    std::vector<Sequence*> batch_;    // Schedule::kStatic: the batch, to its common end
    std::vector<FinishedSequence> finished_;
    std::vector<SequenceId> started_;
    std::vector<SequenceId> retired_;
    std::uint64_t steps_ = 0;
    std::size_t steps_inflight_ = 0;
    std::uint64_t preemptions_ = 0;
};

}  // namespace heddle::engine
