// The engine: one thread that takes requests from a bounded inbox, plans steps, hands them to an
// executor and gives the tokens that come back to the sinks of their requests.
//
// The engine thread alone owns scheduler, sequences and blocks. A step that fails ends its own
// sequences; the engine goes on. See engine/README.md for the contract.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "engine/engine_metrics.h"
#include "engine/executor.h"
#include "engine/generation.h"
#include "engine/queue_limit.h"
#include "engine/scheduler.h"
#include "engine/text_assembler.h"
#include "engine/token_table.h"

namespace heddle::engine {

struct EngineConfig {
    SchedulerConfig scheduler;
    QueueLimits queue;
    std::vector<TokenId> end_ids;  // the model's end tokens
    std::uint32_t answers_max = 8;
    // With work at hand and no step finished for this long the engine counts as stuck.
    std::chrono::nanoseconds stuck_after = std::chrono::seconds(60);
};

struct EngineStats {
    SchedulerStats scheduler;
    std::size_t queued = 0;  // accepted and not started, inbox included
    std::uint64_t steps = 0;
    std::uint64_t steps_failed = 0;
    std::uint64_t tokens_generated = 0;
};

class Engine {
public:
    // `tokens`, `clock` and `metrics` outlive the engine.
    Engine(EngineConfig config, const TokenTable& tokens, std::unique_ptr<Executor> executor,
           const Clock& clock = Clock::system(), Metrics& metrics = Metrics::none());
    // Ends what still runs with kCancelled, after the steps in flight.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Thread-safe, never waits for a step. Refuses what is malformed, what can never fit and
    // what the queue has no room for; otherwise `sink` gets every event of every answer.
    [[nodiscard]] Result<Generation> submit(GenerationRequest request, Sink sink);

    // Refuses new requests from now on; those accepted run to their end. Thread-safe.
    void drain();
    // Thread-safe.
    [[nodiscard]] EngineStats stats() const;
    // False when there is work and the step loop does not move. Thread-safe.
    [[nodiscard]] bool healthy() const;

private:
    friend class Generation;

    struct Request;
    struct Stream;
    struct InFlight {
        std::shared_ptr<const StepPlan> plan;
    };

    // Any thread.
    [[nodiscard]] Result<std::size_t> check(const GenerationRequest& request) const;
    void wake();
    void resume(std::uint64_t request);

    // Engine thread.
    void loop();
    bool take_inbox(bool may_sleep);
    void add(const std::shared_ptr<Request>& request);
    bool submit_step();
    void collect_step();
    void take_outputs(const StepPlan& plan, StepResult result);
    void on_token(Stream& stream, StepOutput output);
    void after_plan(SteadyTime now);
    void deliver(Stream& stream, GenerationEvent event);
    void finish(SequenceId id, FinishReason reason, GenerationEvent last);
    void end_everything();
    void publish_stats();
    void beat(bool busy);

    const EngineConfig config_;
    const TokenTable& tokens_;
    const Clock& clock_;
    QueueLimit queue_;

    // Engine thread only.
    Scheduler scheduler_;
    std::unique_ptr<Executor> executor_;
    EngineMetrics metrics_;
    std::deque<InFlight> inflight_;
    std::unordered_map<SequenceId, std::unique_ptr<Stream>> streams_;
    std::vector<SequenceStart> starts_;
    SequenceId ids_ = 0;
    EngineStats counted_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Request>> inbox_;  // guarded by mutex_
    std::vector<std::uint64_t> resumed_;           // guarded by mutex_
    EngineStats published_;                        // guarded by mutex_
    bool woken_ = false;                           // guarded by mutex_
    bool draining_ = false;                        // guarded by mutex_
    bool stopping_ = false;                        // guarded by mutex_

    std::atomic<std::uint64_t> requests_{0};
    std::atomic<std::int64_t> last_beat_ns_{0};
    std::atomic<bool> busy_{false};
    std::thread thread_;
};

}  // namespace heddle::engine
