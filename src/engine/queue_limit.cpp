#include "engine/queue_limit.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace heddle::engine {

Result<void> QueueLimit::enter(const std::string& key, std::size_t requests, std::size_t tokens) {
    const std::lock_guard lock(mutex_);
    // A prompt longer than the whole bound may still come when nothing else waits.
    const bool too_many = requests_ + requests > limits_.requests_max;
    const bool too_long =
        tokens_ > 0 && (tokens_ >= limits_.tokens_max || tokens > limits_.tokens_max - tokens_);
    if (too_many || too_long) {
        const auto own = requests_of_key_.find(key);
        const std::size_t held = own == requests_of_key_.end() ? 0 : own->second;
        const std::size_t keys = requests_of_key_.size() + (held == 0 ? 1 : 0);
        const bool over_share = held > 0 && held >= requests_ / keys;
        if (over_share) {
            return fail(Error(ErrorCode::kRateLimited, "too many of your requests are waiting")
                            .with_reason("rate_limited")
                            .with_retry_after(retry_after_s()));
        }
        return fail(Error(ErrorCode::kUnavailable, "the server is full, try again later")
                        .with_reason("server_overloaded")
                        .with_retry_after(retry_after_s()));
    }
    requests_of_key_[key] += requests;
    requests_ += requests;
    tokens_ += tokens;
    return {};
}

void QueueLimit::leave(const std::string& key, std::size_t requests, std::size_t tokens) {
    const std::lock_guard lock(mutex_);
    const auto at = requests_of_key_.find(key);
    HEDDLE_CHECK(at != requests_of_key_.end() && at->second >= requests && tokens_ >= tokens,
                 "who leaves the queue has entered it");
    at->second -= requests;
    if (at->second == 0) requests_of_key_.erase(at);
    requests_ -= requests;
    tokens_ -= tokens;
}

void QueueLimit::set_drain_rate(double tokens_per_second) {
    const std::lock_guard lock(mutex_);
    drain_rate_ = tokens_per_second;
}

std::size_t QueueLimit::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

int QueueLimit::retry_after_s() const {
    if (drain_rate_ <= 0) return 1;
    const double seconds = std::ceil(static_cast<double>(tokens_) / drain_rate_);
    return static_cast<int>(std::clamp(seconds, 1.0, 60.0));
}

}  // namespace heddle::engine
