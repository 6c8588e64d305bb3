// robots.txt of each origin, asked for through the guard and kept for a day at most.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "async/deadline.h"
#include "async/task.h"
#include "base/clock.h"
#include "fetch/guarded_client.h"
#include "fetch/robots.h"

namespace heddle::fetch {

// Thread-safe. Two callers may ask for the same file at once; the later answer stays.
class RobotsCache {
public:
    RobotsCache(GuardedClient& client, const FetchOptions& options, const Clock& clock)
        : client_(client), options_(options), clock_(clock) {}

    // Whether the page may be read, and by which rule not. Where robots.txt cannot be had because
    // of its server nothing may be read, where there is none everything (RFC 9309, 2.3.1).
    async::Task<RobotsVerdict> check(markup::Url url, bool allowed_by_operator,
                                     async::Deadline deadline);

private:
    struct Entry {
        std::shared_ptr<const RobotsRules> rules;
        SteadyTime until;
    };

    async::Task<Entry> ask(markup::Url url, bool allowed_by_operator, async::Deadline deadline);
    std::shared_ptr<const RobotsRules> find(const std::string& origin);
    void keep(const std::string& origin, Entry entry);

    GuardedClient& client_;
    const FetchOptions& options_;
    const Clock& clock_;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;  // guarded by mutex_
};

}  // namespace heddle::fetch
