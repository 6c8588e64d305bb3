#include "app/bench_workload.h"

#include <cmath>

#include "base/random.h"

namespace heddle::app {
namespace {

// uniform() is below 1, so the logarithm is finite.
double exponential(Rng& rng, double mean) {
    return -mean * std::log1p(-rng.uniform());
}

std::size_t capped_answer(Rng& rng, std::size_t cap) {
    constexpr double kMean = 128;
    for (;;) {
        const double drawn = std::round(exponential(rng, kMean));
        if (drawn >= 1 && drawn <= static_cast<double>(cap)) return static_cast<std::size_t>(drawn);
    }
}

std::size_t from_half(Rng& rng, std::size_t most) {
    const std::size_t least = (most + 1) / 2;
    return least + static_cast<std::size_t>(rng.below(most - least + 1));
}

}  // namespace

Result<std::vector<BenchRequest>> make_workload(const WorkloadOptions& options) {
    const bool known =
        options.kind == "fixed" || options.kind == "uniform" || options.kind == "claim";
    if (!known || options.requests == 0 || options.prompt_tokens == 0 ||
        options.output_tokens == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "a workload is fixed, uniform or claim, of at least one request and token");
    }
    Rng rng(options.seed);
    std::vector<BenchRequest> requests(options.requests);
    double at = 0;
    for (BenchRequest& request : requests) {
        request = {options.prompt_tokens, options.output_tokens, at};
        if (options.kind == "uniform") {
            request.prompt_tokens = from_half(rng, options.prompt_tokens);
            request.output_tokens = from_half(rng, options.output_tokens);
        }
        if (options.kind == "claim")
            request.output_tokens = capped_answer(rng, options.output_tokens);
        if (options.rate > 0) at += exponential(rng, 1 / options.rate);
    }
    return requests;
}

}  // namespace heddle::app
