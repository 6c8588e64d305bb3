#include "app/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

namespace heddle::app {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

Json json_of(const Percentiles& p) {
    return {{"mean", rounded(p.mean)},
            {"p50", rounded(p.p50)},
            {"p90", rounded(p.p90)},
            {"p99", rounded(p.p99)},
            {"max", rounded(p.max)}};
}

std::string row_of(const char* name, const Percentiles& p) {
    return fmt::format("{:<28}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}\n", name, p.mean, p.p50,
                       p.p90, p.p99, p.max);
}

double tpot_ms(const BenchRun& run) {
    return (run.last_s - run.first_s) * 1000 / static_cast<double>(run.output_tokens - 1);
}

bool is_good(const BenchRun& run, const GoodputLimits& limits) {
    const bool quick = !limits.ttft_ms || (run.first_s - run.sent_s) * 1000 <= *limits.ttft_ms;
    const bool steady = !limits.tpot_ms || run.output_tokens < 2 || tpot_ms(run) <= *limits.tpot_ms;
    const bool whole = !limits.e2el_ms || (run.last_s - run.sent_s) * 1000 <= *limits.e2el_ms;
    return quick && steady && whole;
}

}  // namespace

Percentiles percentiles_of(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    const auto at = [&](double q) {
        const auto rank = std::ceil(q * static_cast<double>(values.size()));
        return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
    };
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    return {sum / static_cast<double>(values.size()), at(0.5), at(0.9), at(0.99), values.back()};
}

BenchSummary summarise(const std::vector<BenchRun>& runs, double duration_s,
                       const GoodputLimits& limits) {
    BenchSummary summary;
    summary.duration_s = duration_s;
    std::vector<double> ttft, tpot, itl, e2el;
    std::size_t good = 0;
    for (const BenchRun& run : runs) {
        if (!run.error.empty()) {
            ++summary.failed;
            continue;
        }
        ++summary.completed;
        summary.prompt_tokens += run.prompt_tokens;
        summary.output_tokens += run.output_tokens;
        ttft.push_back((run.first_s - run.sent_s) * 1000);
        e2el.push_back((run.last_s - run.sent_s) * 1000);
        if (run.output_tokens > 1) tpot.push_back(tpot_ms(run));
        for (const float gap : run.gaps_s) itl.push_back(static_cast<double>(gap) * 1000);
        good += is_good(run, limits) ? 1 : 0;
    }
    const double seconds = std::max(duration_s, 1e-9);
    summary.requests_per_s = static_cast<double>(summary.completed) / seconds;
    summary.output_tokens_per_s = static_cast<double>(summary.output_tokens) / seconds;
    summary.total_tokens_per_s =
        static_cast<double>(summary.output_tokens + summary.prompt_tokens) / seconds;
    summary.ttft = percentiles_of(std::move(ttft));
    summary.tpot = percentiles_of(std::move(tpot));
    summary.itl = percentiles_of(std::move(itl));
    summary.e2el = percentiles_of(std::move(e2el));
    if (limits.ttft_ms || limits.tpot_ms || limits.e2el_ms)
        summary.goodput_per_s = static_cast<double>(good) / seconds;
    return summary;
}

std::string table_of(const BenchSummary& s) {
    std::string out;
    const auto line = [&](const char* name, auto value) {
        out += fmt::format("{:<28}{:>10}\n", name, value);
    };
    line("requests that went well", s.completed);
    if (s.failed > 0) line("requests that failed", s.failed);
    line("duration (s)", fmt::format("{:.2f}", s.duration_s));
    line("prompt tokens", s.prompt_tokens);
    line("output tokens", s.output_tokens);
    line("requests/s", fmt::format("{:.3f}", s.requests_per_s));
    line("output tokens/s", fmt::format("{:.2f}", s.output_tokens_per_s));
    line("total tokens/s", fmt::format("{:.2f}", s.total_tokens_per_s));
    if (s.goodput_per_s) line("good requests/s", fmt::format("{:.3f}", *s.goodput_per_s));
    out += fmt::format("\n{:<28}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "milliseconds", "mean", "p50",
                       "p90", "p99", "max");
    out += row_of("time to first token", s.ttft);
    out += row_of("time per output token", s.tpot);
    out += row_of("inter-token latency", s.itl);
    out += row_of("end-to-end latency", s.e2el);
    return out;
}

std::string json_of(const BenchSummary& s, const std::string& setting) {
    Json json = {{"setting", Json::parse(setting)},
                 {"completed", s.completed},
                 {"failed", s.failed},
                 {"duration_s", rounded(s.duration_s)},
                 {"total_input_tokens", s.prompt_tokens},
                 {"total_output_tokens", s.output_tokens},
                 {"request_throughput", rounded(s.requests_per_s)},
                 {"output_throughput", rounded(s.output_tokens_per_s)},
                 {"total_token_throughput", rounded(s.total_tokens_per_s)},
                 {"ttft_ms", json_of(s.ttft)},
                 {"tpot_ms", json_of(s.tpot)},
                 {"itl_ms", json_of(s.itl)},
                 {"e2el_ms", json_of(s.e2el)}};
    if (s.goodput_per_s) json["request_goodput"] = rounded(*s.goodput_per_s);
    return json.dump(1) + "\n";
}

}  // namespace heddle::app
