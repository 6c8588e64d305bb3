// Seeded simulation: random arrivals, lengths, priorities, deadlines, cancels, pauses and failing
// steps against a pool that is always short of blocks, with one or two steps in flight. The
// invariants of Scheduler::check hold after every plan, every sequence ends, nothing leaks.
// HEDDLE_TEST_SCALE=full runs 100 seeds of 100,000 steps.
#include <cstdlib>
#include <deque>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/scheduler.h"

namespace heddle::engine {
namespace {

bool full_scale() {
    const char* scale = std::getenv("HEDDLE_TEST_SCALE");
    return scale != nullptr && std::string_view(scale) == "full";
}

class Simulation {
public:
    explicit Simulation(std::uint64_t seed) : rng_(seed), scheduler_(random_config()) {}

    void run(std::uint64_t steps) {
        for (std::uint64_t i = 0; i < steps; ++i) {
            arrive();
            disturb();
            step();
        }
        arriving_ = false;
        std::uint64_t draining = 0;
        while (!scheduler_.idle() || !inflight_.empty()) {
            for (const auto& [id, alive] : alive_) scheduler_.set_paused(id, false);
            step();
            ASSERT_LT(++draining, 200'000u) << "a sequence starves";
        }
        EXPECT_EQ(scheduler_.stats().blocks_in_use, 0u);
        EXPECT_TRUE(alive_.empty());
    }

    std::uint64_t preemptions() const { return scheduler_.stats().preemptions; }
    std::uint64_t finished() const { return finished_; }

private:
    struct Alive {
        std::shared_ptr<std::atomic<bool>> cancelled;
        std::uint64_t born = 0;
        std::size_t sampled = 0;
    };

    SchedulerConfig random_config() {
        SchedulerConfig config;
        config.block_tokens = std::size_t{1} << rng_.below(5);
        config.context_tokens_max = 128;
        config.block_count = (128 + rng_.below(512)) / config.block_tokens + 1;
        config.sequences_max = 1 + rng_.below(16);
        config.step_tokens = config.sequences_max + rng_.below(64);
        config.prefix_cache = rng_.below(4) != 0;
        config.schedule = rng_.below(8) == 0 ? Schedule::kStatic : Schedule::kContinuous;
        config.static_batch = 1 + rng_.below(8);
        depth_ = 1 + rng_.below(2);
        return config;
    }

    void arrive() {
        if (!arriving_ || alive_.size() >= 48 || rng_.below(3) != 0) return;
        SequenceRequest request;
        request.key = std::string(1, static_cast<char>('a' + rng_.below(4)));
        request.salt = request.key;
        request.priority = static_cast<int>(rng_.below(3));
        // Few distinct prompts, so that prefixes repeat.
        const TokenId first = static_cast<TokenId>(rng_.below(3));
        const std::size_t prompt = 1 + rng_.below(90);
        for (std::size_t i = 0; i < prompt; ++i) {
            request.prompt.push_back(first + static_cast<TokenId>(i));
        }
        request.new_tokens_max = 1 + rng_.below(128 - prompt);
        if (!scheduler_.feasible(prompt, request.new_tokens_max)) return;
        if (rng_.below(10) == 0) {
            request.deadline = clock_.steady() + std::chrono::milliseconds(rng_.below(3000));
        }
        const std::uint64_t answers = rng_.below(6) == 0 ? 3 : 1;
        const SequenceId leader = ids_ + 1;
        for (std::uint64_t n = 0; n < answers; ++n) {
            request.id = ++ids_;
            request.leader = n == 0 ? 0 : leader;
            auto cancelled = std::make_shared<std::atomic<bool>>(false);
            request.cancelled = cancelled;
            alive_.emplace(ids_, Alive{cancelled, steps_, 0});
            scheduler_.add(request, clock_.steady());
        }
    }

    void disturb() {
        if (alive_.empty()) return;
        auto at = alive_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(rng_.below(alive_.size())));
        switch (rng_.below(40)) {
            case 0:
                at->second.cancelled->store(true);
                break;
            case 1:
                scheduler_.finish(at->first, FinishReason::kStop);
                break;
            case 2:
                scheduler_.set_paused(at->first, true);
                break;
            default:
                scheduler_.set_paused(at->first, false);
                break;
        }
    }

    void step() {
        clock_.advance(std::chrono::milliseconds(10));
        ++steps_;
        StepPlan plan = scheduler_.plan(clock_.steady());
        scheduler_.check(plan);
        collect();
        const bool idle = plan.empty();
        if (!idle) inflight_.push_back(std::move(plan));
        if (inflight_.size() >= depth_ || (idle && !inflight_.empty())) complete();
    }

    void complete() {
        const StepPlan plan = std::move(inflight_.front());
        inflight_.pop_front();
        if (rng_.below(500) == 0) {
            scheduler_.abandon(plan);
            collect();
            return;
        }
        std::vector<SampledToken> sampled;
        for (const StepItem& item : plan.items) {
            if (item.samples()) sampled.push_back({item.sequence, 1});
        }
        scheduler_.complete(plan, sampled);
        for (const StepItem& item : plan.items) {
            const Sequence* sequence = scheduler_.find(item.sequence);
            if (sequence == nullptr || sequence->state == SequenceState::kFinished) continue;
            if (sequence->generated() == sequence->request.new_tokens_max) {
                scheduler_.finish(item.sequence, FinishReason::kLength);
            } else if (item.samples() && rng_.below(60) == 0) {
                scheduler_.finish(item.sequence, FinishReason::kStop);
            }
        }
        collect();
    }

    void collect() {
        for (const FinishedSequence& done : scheduler_.take_finished()) {
            ASSERT_EQ(alive_.erase(done.sequence), 1u) << "a sequence ends once";
            ++finished_;
        }
    }

    Rng rng_;
    std::size_t depth_ = 1;
    FakeClock clock_;
    Scheduler scheduler_;
    std::map<SequenceId, Alive> alive_;
    std::deque<StepPlan> inflight_;
    SequenceId ids_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t finished_ = 0;
    bool arriving_ = true;
};

TEST(SchedulerSimulation, InvariantsHoldAndEverySequenceEnds) {
    const std::uint64_t seeds = full_scale() ? 100 : 16;
    const std::uint64_t steps = full_scale() ? 100'000 : 3'000;
    std::uint64_t preemptions = 0;
    std::uint64_t finished = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Simulation simulation(seed);
        simulation.run(steps);
        if (HasFatalFailure()) return;
        preemptions += simulation.preemptions();
        finished += simulation.finished();
    }
    // The simulation is about contention: without any it would show nothing.
    EXPECT_GT(preemptions, seeds);
    EXPECT_GT(finished, seeds * steps / 100);
    RecordProperty("preemptions", std::to_string(preemptions));
    RecordProperty("finished", std::to_string(finished));
}

// Four keys that always have work; the greedy one keeps forty requests waiting, the others two.
std::map<std::string, std::uint64_t> served_tokens(std::uint64_t seed, std::uint64_t steps,
                                                   std::uint64_t* longest_wait) {
    Rng rng(seed);
    FakeClock clock;
    Scheduler scheduler({.block_tokens = 8,
                         .block_count = 96,
                         .step_tokens = 64,
                         .sequences_max = 8,
                         .context_tokens_max = 256});
    std::map<std::string, std::uint64_t> waiting;
    std::map<std::string, std::uint64_t> served;
    std::map<SequenceId, std::pair<std::string, std::uint64_t>> born;
    SequenceId ids = 0;
    for (std::uint64_t step = 0; step < steps; ++step) {
        for (const std::string key : {"greedy", "one", "two", "three"}) {
            while (waiting[key] < (key == "greedy" ? 40 : 2)) {
                SequenceRequest request;
                request.id = ++ids;
                request.key = key;
                request.salt = key;
                request.prompt.assign(1 + rng.below(100), static_cast<TokenId>(ids));
                request.new_tokens_max = 1 + rng.below(key == "greedy" ? 120 : 60);
                scheduler.add(std::move(request), clock.steady());
                born[ids] = {key, step};
                ++waiting[key];
            }
        }
        clock.advance(std::chrono::milliseconds(10));
        const StepPlan plan = scheduler.plan(clock.steady());
        scheduler.check(plan);
        std::vector<SampledToken> sampled;
        for (const StepItem& item : plan.items) {
            served[born.at(item.sequence).first] += item.count;
            if (item.samples()) sampled.push_back({item.sequence, 1});
        }
        scheduler.complete(plan, sampled);
        for (const SequenceId id : scheduler.take_started()) {
            --waiting[born.at(id).first];
            if (born.at(id).first != "greedy") {
                *longest_wait = std::max(*longest_wait, step - born.at(id).second);
            }
        }
        for (const StepItem& item : plan.items) {
            const Sequence* sequence = scheduler.find(item.sequence);
            if (sequence->generated() == sequence->request.new_tokens_max) {
                scheduler.finish(item.sequence, FinishReason::kLength);
                born.erase(item.sequence);
            }
        }
        (void)scheduler.take_finished();
    }
    return served;
}

TEST(SchedulerSimulation, AGreedyKeyGetsItsShareAndNoMore) {
    const std::uint64_t seeds = full_scale() ? 100 : 4;
    const std::uint64_t steps = full_scale() ? 100'000 : 10'000;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::uint64_t longest_wait = 0;
        const auto served = served_tokens(seed, steps, &longest_wait);
        std::uint64_t total = 0;
        for (const auto& [key, tokens] : served) total += tokens;
        for (const auto& [key, tokens] : served) {
            const double share = static_cast<double>(tokens) / static_cast<double>(total);
            EXPECT_NEAR(share, 0.25, 0.025) << key;
        }
        EXPECT_LT(longest_wait, 2'000u);
    }
}

}  // namespace
}  // namespace heddle::engine
