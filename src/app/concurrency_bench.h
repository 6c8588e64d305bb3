// The book chapter's lesson as a measurement: the same slow model called from an event loop, from
// a pool of threads, and asynchronously, while somebody else only wants to know whether the server
// is alive.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "http/client.h"

namespace heddle::app {

struct ConcurrencyOptions {
    std::string url;  // of a server started with --demo
    int requests = 24;
    std::chrono::milliseconds probe_every{20};
};

struct Span {
    double start_s = 0;  // since the first request of its endpoint
    double end_s = 0;
    bool ok = true;
};

struct EndpointRun {
    std::string path;
    std::string what;
    std::vector<Span> requests;
    std::vector<Span> probes;  // GET /healthz meanwhile
};

// Drives /block, /slow and /fast, one after the other.
async::Task<Result<std::vector<EndpointRun>>> run_concurrency(ConcurrencyOptions options,
                                                              std::shared_ptr<http::Client> client);

[[nodiscard]] std::string concurrency_table(const std::vector<EndpointRun>& runs);
// Every request a bar, every probe a dot, the endpoints below each other on one time axis.
[[nodiscard]] std::string concurrency_svg(const std::vector<EndpointRun>& runs);

// The q-quantile (0 to 1) of latencies in milliseconds; 0 for none.
[[nodiscard]] double latency_quantile_ms(const std::vector<Span>& spans, double q);

}  // namespace heddle::app
