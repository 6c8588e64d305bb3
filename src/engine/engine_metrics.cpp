#include "engine/engine_metrics.h"

#include <string>
#include <vector>

namespace heddle::engine {
namespace {

const std::vector<double>& request_bounds() {
    static const std::vector<double> bounds{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                            2.5,  5,     10,   20,  40,   80,  160};
    return bounds;
}

const std::vector<double>& token_bounds() {
    static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                            0.075, 0.1,    0.2,   0.4,  0.8,   1.6};
    return bounds;
}

double seconds(SteadyTime::duration time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

EngineMetrics::EngineMetrics(Metrics& metrics)
    : metrics_(metrics),
      running_(metrics.gauge("num_requests_running", "Sequences in the running batch")),
      waiting_(metrics.gauge("num_requests_waiting", "Sequences waiting for their first step")),
      kv_usage_(metrics.gauge("kv_cache_usage_perc", "Share of the key-value blocks in use")),
      preemptions_(metrics.counter("num_preemptions_total", "Sequences that gave up blocks")),
      prefix_queries_(metrics.counter("prefix_cache_queries", "Prompt tokens looked up")),
      prefix_hits_(metrics.counter("prefix_cache_hits", "Prompt tokens found computed")),
      prefix_evictions_(metrics.counter("prefix_cache_evictions", "Cached blocks given out")),
      prompt_tokens_(metrics.counter("prompt_tokens_total", "Prompt tokens of ended answers")),
      generation_tokens_(metrics.counter("generation_tokens_total", "Generated tokens")),
      queue_time_(metrics.histogram("request_queue_time_seconds", "Arrival to first step",
                                    request_bounds())),
      prefill_time_(metrics.histogram("request_prefill_time_seconds", "First step to first token",
                                      request_bounds())),
      decode_time_(metrics.histogram("request_decode_time_seconds", "First token to last",
                                     request_bounds())),
      time_to_first_token_(metrics.histogram("time_to_first_token_seconds",
                                             "Arrival to first token", request_bounds())),
      inter_token_latency_(metrics.histogram("inter_token_latency_seconds",
                                             "From one token to the next", token_bounds())),
      e2e_latency_(metrics.histogram("e2e_request_latency_seconds", "Arrival to last token",
                                     request_bounds())) {}

void EngineMetrics::scheduled(const SchedulerStats& stats) {
    running_.set(static_cast<double>(stats.running));
    waiting_.set(static_cast<double>(stats.waiting));
    kv_usage_.set(static_cast<double>(stats.blocks_in_use) / static_cast<double>(stats.blocks));
    const auto add = [](Counter& counter, std::uint64_t now, std::uint64_t before) {
        if (now > before) counter.add(static_cast<double>(now - before));
    };
    add(preemptions_, stats.preemptions, last_.preemptions);
    add(prefix_queries_, stats.prefix_queried_tokens, last_.prefix_queried_tokens);
    add(prefix_hits_, stats.prefix_hit_tokens, last_.prefix_hit_tokens);
    add(prefix_evictions_, stats.prefix_evicted_blocks, last_.prefix_evicted_blocks);
    last_ = stats;
}

void EngineMetrics::started(SteadyTime::duration queued) {
    queue_time_.observe(seconds(queued));
}

void EngineMetrics::first_token(SteadyTime::duration since_arrival,
                                SteadyTime::duration since_start) {
    prefill_time_.observe(seconds(since_start));
    time_to_first_token_.observe(seconds(since_arrival));
    generation_tokens_.add();
}

void EngineMetrics::next_token(SteadyTime::duration since_last) {
    inter_token_latency_.observe(seconds(since_last));
    generation_tokens_.add();
}

void EngineMetrics::finished(FinishReason reason, const TokenUsage& usage,
                             SteadyTime::duration total, SteadyTime::duration decoding) {
    if (usage.generated > 0) decode_time_.observe(seconds(decoding));
    prompt_tokens_.add(static_cast<double>(usage.prompt));
    e2e_latency_.observe(seconds(total));
    metrics_
        .counter("request_success_total", "Answers by how they ended",
                 {{"finished_reason", std::string(to_string(reason))}})
        .add();
}

}  // namespace heddle::engine
