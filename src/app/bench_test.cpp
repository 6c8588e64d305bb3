// The workloads, the arithmetic of the report, the engine in process and a scripted server.
#include <gtest/gtest.h>

#include "app/bench_report.h"
#include "app/bench_workload.h"
#include "app/engine_bench.h"

namespace heddle::app {
namespace {

TEST(BenchWorkload, IsRepeatableAndKeepsItsLimits) {
    for (const ClaimCase& one : kClaimCases) {
        const WorkloadOptions options{.kind = "claim", .requests = 2'000, .output_tokens = one.cap};
        const auto requests = make_workload(options);
        ASSERT_TRUE(requests);
        double sum = 0;
        for (const BenchRequest& request : *requests) {
            EXPECT_GE(request.output_tokens, 1u);
            EXPECT_LE(request.output_tokens, one.cap);
            EXPECT_EQ(request.prompt_tokens, 512u);
            sum += static_cast<double>(request.output_tokens);
        }
        // Means that follow from the distribution: about 16, 54, 118 and 128.
        const double expected = one.cap == 32    ? 16
                                : one.cap == 128 ? 54
                                : one.cap == 512 ? 118
                                                 : 128;
        EXPECT_NEAR(sum / 2'000, expected, expected * 0.1) << one.cap;
        EXPECT_EQ(make_workload(options)->back().output_tokens, requests->back().output_tokens);
    }
    const auto arrivals = make_workload({.requests = 4'000, .rate = 20});
    EXPECT_NEAR(arrivals->back().arrives_s, 200, 20);
    EXPECT_FALSE(make_workload({.kind = "odd"}));
    EXPECT_FALSE(make_workload({.requests = 0}));
}

TEST(BenchReport, CountsWhatWentWell) {
    std::vector<BenchRun> runs;
    runs.push_back({.sent_s = 0,
                    .first_s = 0.1,
                    .last_s = 1.1,
                    .prompt_tokens = 5,
                    .output_tokens = 11,
                    .gaps_s = {0.5F, 0.5F},
                    .error = ""});
    runs.push_back({.sent_s = 1,
                    .first_s = 1.3,
                    .last_s = 1.3,
                    .prompt_tokens = 5,
                    .output_tokens = 1,
                    .gaps_s = {},
                    .error = ""});
    runs.push_back({.sent_s = 1, .error = "status 500"});
    const BenchSummary s = summarise(runs, 2.0, {.ttft_ms = 200, .tpot_ms = {}, .e2el_ms = {}});
    EXPECT_EQ(s.completed, 2u);
    EXPECT_EQ(s.failed, 1u);
    EXPECT_DOUBLE_EQ(s.output_tokens_per_s, 6);
    EXPECT_DOUBLE_EQ(s.total_tokens_per_s, 11);
    EXPECT_NEAR(s.ttft.mean, 200, 1e-9);
    EXPECT_NEAR(s.tpot.p50, 100, 1e-9);
    EXPECT_NEAR(s.itl.p99, 500, 1e-6);
    EXPECT_DOUBLE_EQ(*s.goodput_per_s, 0.5) << "one of them was quick enough";
    EXPECT_NE(table_of(s).find("requests that failed"), std::string::npos);
    EXPECT_NE(json_of(s, "{}").find("\"request_goodput\": 0.5"), std::string::npos);
}

TEST(BenchReport, PercentilesAreOfTheValuesThemselves) {
    std::vector<double> values;
    for (int i = 1; i <= 100; ++i) values.push_back(101 - i);
    const Percentiles p = percentiles_of(values);
    EXPECT_EQ(p.p50, 50);
    EXPECT_EQ(p.p90, 90);
    EXPECT_EQ(p.p99, 99);
    EXPECT_EQ(p.max, 100);
    EXPECT_EQ(percentiles_of({}).max, 0);
}

TEST(EngineBench, RunsBothSchedulesToTheEnd) {
    for (const char* schedule : {"continuous", "static"}) {
        EngineBenchOptions options;
        options.shape = "tiny";
        options.weights = "f32";
        options.schedule = schedule;
        options.static_batch = 4;
        options.threads = 1;
        const auto bench = EngineBench::load(options);
        ASSERT_TRUE(bench) << bench.error().message();
        const auto requests = make_workload(
            {.kind = "uniform", .requests = 10, .prompt_tokens = 20, .output_tokens = 12});
        const std::vector<BenchRun> runs = (*bench)->run(*requests);
        for (std::size_t i = 0; i < runs.size(); ++i) {
            EXPECT_EQ(runs[i].error, "");
            EXPECT_EQ(runs[i].output_tokens, (*requests)[i].output_tokens) << schedule;
            EXPECT_GT(runs[i].first_s, runs[i].sent_s);
        }
    }
}

}  // namespace
}  // namespace heddle::app
