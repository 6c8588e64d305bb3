// Tells whoever waits in this process that something about a key (a job's id, a queue's name) has
// changed. It carries no content: the listener reads the row, so a slow one misses no outcome and
// needs no buffer.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "async/waiter.h"

namespace heddle::jobs {

// Thread-safe.
class Broadcast : public std::enable_shared_from_this<Broadcast> {
public:
    // One listener's place; ends with its destruction.
    class Subscription {
    public:
        Subscription(std::shared_ptr<Broadcast> owner, std::string key);
        ~Subscription();
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;

        // Returns at once when something has changed since the last return.
        async::Task<> changed() { return waiter_.wait(); }
        // The same, but false when the time has passed before.
        async::Task<bool> changed_within(std::chrono::milliseconds time);

    private:
        friend class Broadcast;
        std::shared_ptr<Broadcast> owner_;
        std::string key_;
        async::Waiter waiter_;
    };

    [[nodiscard]] std::unique_ptr<Subscription> subscribe(std::string key) {
        return std::make_unique<Subscription>(shared_from_this(), std::move(key));
    }
    void publish(const std::string& key);
    // Of every key.
    void publish_all();

private:
    std::mutex mutex_;
    std::unordered_multimap<std::string, Subscription*> listeners_;  // guarded by mutex_
};

}  // namespace heddle::jobs
