#include "jobs/broadcast.h"

#include "async/deadline.h"

namespace heddle::jobs {

Broadcast::Subscription::Subscription(std::shared_ptr<Broadcast> owner, std::string key)
    : owner_(std::move(owner)), key_(std::move(key)) {
    const std::lock_guard lock(owner_->mutex_);
    owner_->listeners_.emplace(key_, this);
}

Broadcast::Subscription::~Subscription() {
    const std::lock_guard lock(owner_->mutex_);
    const auto [begin, end] = owner_->listeners_.equal_range(key_);
    for (auto it = begin; it != end; ++it) {
        if (it->second != this) continue;
        owner_->listeners_.erase(it);
        return;
    }
}

async::Task<bool> Broadcast::Subscription::changed_within(std::chrono::milliseconds time) {
    const auto outcome =
        co_await async::with_deadline(async::Deadline::after(time), waiter_.wait());
    co_return outcome.has_value();
}

void Broadcast::publish(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = listeners_.equal_range(key);
    for (auto it = begin; it != end; ++it) it->second->waiter_.notify();
}

void Broadcast::publish_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, listener] : listeners_) listener->waiter_.notify();
}

}  // namespace heddle::jobs
