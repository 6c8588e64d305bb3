// What a benchmark of requests found: vLLM's metrics under vLLM's names, as a table and as JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace heddle::app {

// One request as its client saw it; times in seconds from the start of the run.
struct BenchRun {
    double sent_s = 0;
    double first_s = 0;  // the first token was here
    double last_s = 0;
    std::size_t prompt_tokens = 0;
    std::size_t output_tokens = 0;
    std::vector<float> gaps_s;  // between pieces after the first
    std::string error;          // empty: it went well
};

// Limits that a request must keep to count as good, in milliseconds.
struct GoodputLimits {
    std::optional<double> ttft_ms;
    std::optional<double> tpot_ms;
    std::optional<double> e2el_ms;
};

struct Percentiles {
    double mean = 0, p50 = 0, p90 = 0, p99 = 0, max = 0;
};
[[nodiscard]] Percentiles percentiles_of(std::vector<double> values);

struct BenchSummary {
    std::size_t completed = 0;
    std::size_t failed = 0;
    double duration_s = 0;
    std::size_t prompt_tokens = 0;
    std::size_t output_tokens = 0;
    double requests_per_s = 0;
    double output_tokens_per_s = 0;
    double total_tokens_per_s = 0;
    // Milliseconds: to the first token, per output token after it, between pieces, to the end.
    Percentiles ttft, tpot, itl, e2el;
    std::optional<double> goodput_per_s;
};

// Over the requests that went well; `duration_s` is the whole run's.
[[nodiscard]] BenchSummary summarise(const std::vector<BenchRun>& runs, double duration_s,
                                     const GoodputLimits& limits = {});

[[nodiscard]] std::string table_of(const BenchSummary& summary);

// A JSON object; `setting` is one too and says what was measured.
[[nodiscard]] std::string json_of(const BenchSummary& summary, const std::string& setting);

}  // namespace heddle::app
