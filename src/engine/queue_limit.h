// The bound of the queue in front of the scheduler: requests and prompt tokens that were accepted
// and have not started. Refuses when full, so that waiting never grows without end. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "base/result.h"

namespace heddle::engine {

struct QueueLimits {
    std::size_t requests_max = 256;
    std::size_t tokens_max = 262'144;
};

class QueueLimit {
public:
    explicit QueueLimit(QueueLimits limits) : limits_(limits) {}

    // All or nothing. When full: kRateLimited if `key` alone holds more than its share of the
    // queue, else kUnavailable; both say when to try again.
    [[nodiscard]] Result<void> enter(const std::string& key, std::size_t requests,
                                     std::size_t tokens);
    void leave(const std::string& key, std::size_t requests, std::size_t tokens);

    // Prompt tokens that the engine takes up in a second, for the advice to those refused.
    void set_drain_rate(double tokens_per_second);
    [[nodiscard]] std::size_t requests() const;

private:
    [[nodiscard]] int retry_after_s() const;

    const QueueLimits limits_;
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t> requests_of_key_;  // guarded by mutex_
    std::size_t requests_ = 0;                            // guarded by mutex_
    std::size_t tokens_ = 0;                              // guarded by mutex_
    double drain_rate_ = 0;                               // guarded by mutex_
};

}  // namespace heddle::engine
