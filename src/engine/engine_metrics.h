// What the engine tells the operator, under vLLM's names. Engine thread only.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/generation.h"
#include "engine/scheduler.h"

namespace heddle::engine {

class EngineMetrics {
public:
    explicit EngineMetrics(Metrics& metrics);

    void scheduled(const SchedulerStats& stats);
    void started(SteadyTime::duration queued);
    void first_token(SteadyTime::duration since_arrival, SteadyTime::duration since_start);
    void next_token(SteadyTime::duration since_last);
    // `decoding`: since the first token.
    void finished(FinishReason reason, const TokenUsage& usage, SteadyTime::duration total,
                  SteadyTime::duration decoding);

private:
    Metrics& metrics_;
    Gauge& running_;
    Gauge& waiting_;
    Gauge& kv_usage_;
    Counter& preemptions_;
    Counter& prefix_queries_;
    Counter& prefix_hits_;
    Counter& prefix_evictions_;
    Counter& prompt_tokens_;
    Counter& generation_tokens_;
    Histogram& queue_time_;
    Histogram& prefill_time_;
    Histogram& decode_time_;
    Histogram& time_to_first_token_;
    Histogram& inter_token_latency_;
    Histogram& e2e_latency_;
    SchedulerStats last_;
};

}  // namespace heddle::engine
