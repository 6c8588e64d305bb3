// Drives any server that speaks OpenAI's API with streamed completions, as `vllm bench serve` does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/bench_report.h"
#include "app/bench_workload.h"
#include "async/task.h"
#include "base/result.h"
#include "http/client.h"

namespace heddle::app {

struct ServeBenchOptions {
    std::string base_url;  // ends in /v1
    std::string model;     // empty: the first that the server lists
    std::string key;
    bool chat = true;  // /chat/completions, else /completions
    bool ignore_eos = true;
    std::size_t concurrent_max = 0;  // 0: as many as arrive
    std::uint64_t seed = 0;
    std::chrono::milliseconds timeout{600'000};  // of one request
};

// Sends each request when it arrives (or when a place is free) and waits for all. A prompt has
// about as many tokens as asked for, a short random word each; what the server counted is what is
// reported. An error only when the server cannot be asked at all.
async::Task<Result<std::vector<BenchRun>>> run_serve_bench(ServeBenchOptions options,
                                                           std::vector<BenchRequest> requests,
                                                           std::shared_ptr<http::Client> client);

}  // namespace heddle::app
