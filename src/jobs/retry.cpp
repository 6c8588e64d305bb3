#include "jobs/retry.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::jobs {

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int failures, Rng& rng) {
    HEDDLE_CHECK(failures >= 1, "there was a failure");
    // 2^20 seconds is past any limit that makes sense.
    const auto grown = policy.first * (std::int64_t{1} << std::min(failures - 1, 20));
    const auto full = std::min<std::chrono::milliseconds>(grown, policy.longest);
    const auto half = full / 2;
    return half + std::chrono::milliseconds(
                      rng.below(static_cast<std::uint64_t>((full - half).count()) + 1));
}

bool is_retryable(const Error& error) {
    switch (error.code()) {
        case ErrorCode::kInvalidArgument:
        case ErrorCode::kUnprocessable:
        case ErrorCode::kUnauthenticated:
        case ErrorCode::kPermissionDenied:
        case ErrorCode::kNotFound:
        case ErrorCode::kMethodNotAllowed:
        case ErrorCode::kConflict:
        case ErrorCode::kTooLarge:
        case ErrorCode::kUnsupportedType:
        case ErrorCode::kUnimplemented:
        case ErrorCode::kCorrupt:
            return false;
        default:
            return true;
    }
}

}  // namespace heddle::jobs
