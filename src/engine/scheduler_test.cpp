#include "engine/scheduler.h"

#include <deque>

#include <gtest/gtest.h>

namespace heddle::engine {
namespace {

using std::chrono::seconds;

SchedulerConfig small_config() {
    return {.block_tokens = 4,
            .block_count = 32,
            .step_tokens = 16,
            .sequences_max = 4,
            .context_tokens_max = 96};
}

// A scheduler with an executor that answers every step with token 7.
class SchedulerTest : public ::testing::Test {
protected:
    void make(SchedulerConfig config) { scheduler.emplace(config); }

    SequenceId add(std::size_t prompt, std::size_t answer, std::string key = "key",
                   int priority = 0) {
        SequenceRequest request;
        request.id = ++ids;
        request.key = std::move(key);
        request.priority = priority;
        request.prompt.assign(prompt, static_cast<TokenId>(request.id));
        request.new_tokens_max = answer;
        scheduler->add(std::move(request), clock.steady());
        return ids;
    }

    StepPlan plan() {
        StepPlan plan = scheduler->plan(clock.steady());
        scheduler->check(plan);
        return plan;
    }

    void complete(const StepPlan& plan) {
        std::vector<SampledToken> sampled;
        for (const StepItem& item : plan.items) {
            if (item.samples()) sampled.push_back({item.sequence, 7});
        }
        scheduler->complete(plan, sampled);
        for (const StepItem& item : plan.items) {
            const Sequence* sequence = scheduler->find(item.sequence);
            if (sequence != nullptr && sequence->generated() == sequence->request.new_tokens_max) {
                scheduler->finish(item.sequence, FinishReason::kLength);
            }
        }
    }

    StepPlan step() {
        StepPlan made = plan();
        if (!made.empty()) complete(made);
        return made;
    }

    int run_to_idle() {
        int steps = 0;
        while (!scheduler->idle() && steps < 10'000) {
            step();
            ++steps;
        }
        return steps;
    }

    FakeClock clock;
    std::optional<Scheduler> scheduler;
    SequenceId ids = 0;
};

TEST_F(SchedulerTest, DecodesComeFirstAndPromptsFillTheBudgetInChunks) {
    make(small_config());
    const auto first = add(3, 10);
    step();
    const auto second = add(40, 4);
    const StepPlan mixed = step();
    ASSERT_EQ(mixed.items.size(), 2u);
    EXPECT_EQ(mixed.items[0].sequence, first);
    EXPECT_EQ(mixed.items[0].count, 1u);
    EXPECT_EQ(mixed.items[1].sequence, second);
    EXPECT_EQ(mixed.items[1].count, 15u);
    EXPECT_FALSE(mixed.items[1].samples());
    step();
    const StepPlan last = step();
    EXPECT_EQ(last.items[1].position, 30u);
    EXPECT_EQ(last.items[1].count, 10u);
    EXPECT_EQ(last.items[1].sample_at, 9u);
}

TEST_F(SchedulerTest, RefusesWhatCanNeverRun) {
    make(small_config());
    EXPECT_TRUE(scheduler->feasible(90, 6).has_value());
    const auto refused = scheduler->feasible(90, 7);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().reason(), "context_length_exceeded");
    EXPECT_FALSE(scheduler->feasible(~std::size_t{0}, 2).has_value());
    EXPECT_FALSE(scheduler->feasible(2, ~std::size_t{0}).has_value());
    EXPECT_FALSE(scheduler->feasible(0, 1).has_value());
    EXPECT_FALSE(scheduler->feasible(1, 0).has_value());
    auto config = small_config();
    config.block_count = 4;
    make(config);
    EXPECT_FALSE(scheduler->feasible(12, 5).has_value());
}

TEST_F(SchedulerTest, TwoStepsInFlightFeedAPendingToken) {
    make(small_config());
    const auto id = add(3, 3);
    const StepPlan first = plan();
    const StepPlan second = plan();
    ASSERT_EQ(second.items.size(), 1u);
    EXPECT_TRUE(second.items[0].input_pending);
    EXPECT_EQ(second.items[0].position, 3u);
    complete(first);
    const StepPlan third = plan();
    EXPECT_TRUE(third.items[0].input_pending);
    complete(second);
    // Three tokens are planned: nothing may be computed beyond the maximum.
    EXPECT_TRUE(plan().empty());
    complete(third);
    EXPECT_EQ(scheduler->find(id), nullptr);
    EXPECT_EQ(scheduler->stats().blocks_in_use, 0u);
}

TEST_F(SchedulerTest, BlocksReturnOnlyAfterTheStepInFlight) {
    make(small_config());
    const auto id = add(8, 8);
    const StepPlan first = plan();
    scheduler->finish(id, FinishReason::kCancelled);
    EXPECT_EQ(scheduler->stats().blocks_in_use, 2u);
    EXPECT_TRUE(plan().empty());
    complete(first);
    EXPECT_EQ(scheduler->stats().blocks_in_use, 0u);
    // The executor hears of it with the next step that it is given.
    EXPECT_TRUE(plan().retired.empty());
    add(2, 1);
    EXPECT_EQ(plan().retired, (std::vector<SequenceId>{id}));
}

TEST_F(SchedulerTest, PreemptsTheNewestAndRecomputesItFromItsTokens) {
    auto config = small_config();
    config.block_count = 8;
    config.context_tokens_max = 32;
    config.prefix_cache = false;
    make(config);
    const auto old = add(12, 16);
    const auto young = add(8, 16);
    bool old_was_preempted = false;
    bool young_was_preempted = false;
    std::size_t young_tokens = 0;
    for (int i = 0; i < 200 && !scheduler->idle(); ++i) {
        step();
        const Sequence* a = scheduler->find(old);
        const Sequence* b = scheduler->find(young);
        if (a != nullptr && a->state == SequenceState::kWaiting) old_was_preempted = true;
        if (b != nullptr && b->state == SequenceState::kWaiting && b->started) {
            young_was_preempted = true;
            young_tokens = b->tokens.size();
        }
    }
    EXPECT_TRUE(scheduler->idle());
    EXPECT_FALSE(old_was_preempted);
    EXPECT_TRUE(young_was_preempted);
    EXPECT_GT(young_tokens, 8u);
    EXPECT_GT(scheduler->stats().preemptions, 0u);
}

TEST_F(SchedulerTest, CancelAndDeadlineReachQueuePrefillAndDecode) {
    make(small_config());
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    for (std::size_t prompt : {3, 60, 3, 60}) {
        SequenceRequest request;
        request.id = ++ids;
        request.prompt.assign(prompt, 1);
        request.new_tokens_max = 30;
        if (ids % 2 == 0) {
            request.deadline = clock.steady() + seconds(1);
        } else {
            request.cancelled = cancelled;
        }
        scheduler->add(std::move(request), clock.steady());
    }
    step();
    step();
    EXPECT_TRUE(scheduler->take_finished().empty());
    cancelled->store(true);
    clock.advance(seconds(2));
    EXPECT_TRUE(plan().empty());
    EXPECT_EQ(scheduler->take_finished().size(), 4u);
    EXPECT_TRUE(scheduler->idle());
    EXPECT_EQ(scheduler->stats().blocks_in_use, 0u);
}

TEST_F(SchedulerTest, AFailedStepFailsItsSequencesAlone) {
    auto config = small_config();
    config.sequences_max = 1;
    make(config);
    add(4, 4);
    const auto spared = add(4, 4);
    scheduler->abandon(plan());
    const auto finished = scheduler->take_finished();
    ASSERT_EQ(finished.size(), 1u);
    EXPECT_EQ(finished[0].reason, FinishReason::kFailed);
    EXPECT_EQ(step().items.at(0).sequence, spared);
}

TEST_F(SchedulerTest, AnswersToOnePromptShareItsBlocks) {
    make(small_config());
    SequenceRequest request;
    request.prompt.assign(13, 5);
    request.new_tokens_max = 4;
    for (SequenceId id : {1, 2, 3}) {
        request.id = id;
        request.leader = id == 1 ? 0 : 1;
        scheduler->add(request, clock.steady());
    }
    EXPECT_EQ(step().items.size(), 1u);
    const StepPlan shared = step();
    ASSERT_EQ(shared.items.size(), 3u);
    EXPECT_EQ(shared.items[1].position, 12u);
    EXPECT_EQ(shared.items[2].count, 1u);
    EXPECT_EQ(scheduler->find(3)->cached_tokens, 12u);
    run_to_idle();
    EXPECT_EQ(scheduler->stats().blocks_in_use, 0u);
}

TEST_F(SchedulerTest, PriorityGoesFirstAndWaitingCatchesUp) {
    auto config = small_config();
    config.sequences_max = 1;
    config.ageing = seconds(1);
    make(config);
    add(2, 2, "a");
    step();
    const auto low = add(2, 2, "a", 0);
    const auto high = add(2, 2, "b", 3);
    step();
    EXPECT_EQ(step().items.at(0).sequence, high);
    step();
    clock.advance(seconds(5));
    add(2, 2, "b", 3);
    EXPECT_EQ(step().items.at(0).sequence, low);
}

TEST_F(SchedulerTest, APausedSequenceIsNotPlannedAndResumes) {
    make(small_config());
    const auto id = add(4, 4);
    step();
    scheduler->set_paused(id, true);
    EXPECT_TRUE(step().empty());
    scheduler->set_paused(id, false);
    run_to_idle();
    EXPECT_EQ(scheduler->take_finished().at(0).reason, FinishReason::kLength);
}

TEST_F(SchedulerTest, StaticBatchesPadPromptsAndRunToTheLongestAnswer) {
    auto config = small_config();
    config.schedule = Schedule::kStatic;
    config.static_batch = 2;
    make(config);
    add(2, 2);
    add(6, 5);
    const auto later = add(2, 1);
    const StepPlan prompts = step();
    ASSERT_EQ(prompts.items.size(), 2u);
    EXPECT_EQ(prompts.items[0].count, 6u);
    EXPECT_EQ(prompts.items[0].sample_at, 1u);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(step().items.size(), 2u) << "decode step " << i;
    const StepPlan next = step();
    ASSERT_EQ(next.items.size(), 1u);
    EXPECT_EQ(next.items[0].sequence, later);
    run_to_idle();
    EXPECT_EQ(scheduler->stats().blocks_in_use, 0u);
}

}  // namespace
}  // namespace heddle::engine
