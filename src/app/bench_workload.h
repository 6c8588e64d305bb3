// What `heddle bench` asks for: lengths and arrival times of requests, made from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace heddle::app {

struct BenchRequest {
    std::size_t prompt_tokens = 0;
    std::size_t output_tokens = 0;
    double arrives_s = 0;  // after the start
};

struct WorkloadOptions {
    // "fixed": every request as given; "uniform": lengths uniform from half of what is given up to
    // it; "claim": prompts as given, answers from an exponential of mean 128, redrawn when over the
    // cap (the distribution of Anyscale's continuous batching benchmark, June 2023).
    std::string kind = "fixed";
    std::size_t requests = 100;
    std::size_t prompt_tokens = 512;
    std::size_t output_tokens = 128;  // "claim": the cap
    double rate = 0;                  // Poisson arrivals a second; 0: all at once
    std::uint64_t seed = 0;
};

// kInvalidArgument for another kind or no requests.
[[nodiscard]] Result<std::vector<BenchRequest>> make_workload(const WorkloadOptions& options);

// The claim's static baselines: how many sequences of 512 + cap tokens a batch was given room for.
struct ClaimCase {
    std::size_t cap;
    std::size_t static_batch;
};
inline constexpr ClaimCase kClaimCases[] = {{32, 16}, {128, 12}, {512, 8}, {1536, 4}};

}  // namespace heddle::app
