// When a failed attempt is tried again.
#pragma once

#include <chrono>

#include "base/random.h"
#include "base/result.h"

namespace heddle::jobs {

struct RetryPolicy {
    std::chrono::milliseconds first{1000};
    std::chrono::milliseconds longest{std::chrono::minutes(10)};
};

// first × 2^(failures − 1), at most `longest`, of which the upper half is left to chance so that
// jobs that failed together do not come back together. failures counts from 1.
[[nodiscard]] std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int failures,
                                                    Rng& rng);

// False when the same input will fail the same way.
[[nodiscard]] bool is_retryable(const Error& error);

}  // namespace heddle::jobs
