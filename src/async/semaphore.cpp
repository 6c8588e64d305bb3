#include "async/semaphore.h"

#include <utility>

#include <boost/system/system_error.hpp>

namespace heddle::async {

Semaphore::Permit& Semaphore::Permit::operator=(Permit&& other) noexcept {
    if (this != &other) {
        if (owner_) owner_->release();
        owner_ = std::move(other.owner_);
    }
    return *this;
}

Semaphore::Permit::~Permit() {
    if (owner_) owner_->release();
}

std::shared_ptr<Semaphore> Semaphore::create(std::size_t permits) {
    return std::shared_ptr<Semaphore>(new Semaphore(permits));
}

bool Semaphore::try_acquire(Permit& out) {
    {
        const std::lock_guard lock(mutex_);
        if (free_ == 0) return false;
        --free_;
    }
    out = Permit(shared_from_this());
    return true;
}

std::size_t Semaphore::available() const {
    const std::lock_guard lock(mutex_);
    return free_;
}

std::size_t Semaphore::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

Task<Semaphore::Permit> Semaphore::acquire() {
    const auto self = shared_from_this();
    const auto entry = std::make_shared<Entry>();
    {
        const std::lock_guard lock(mutex_);
        if (free_ > 0) {
            --free_;
            co_return Permit(self);
        }
        waiting_.push_back(entry);
    }
    try {
        co_await entry->waiter.wait();
    } catch (...) {
        bool granted = false;
        {
            const std::lock_guard lock(mutex_);
            granted = entry->granted;
            waiting_.remove(entry);
        }
        if (granted) release();  // the permit came together with the cancellation
        throw;
    }
    co_return Permit(self);
}

void Semaphore::release() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    const auto entry = waiting_.front();
    waiting_.pop_front();
    entry->granted = true;
    entry->waiter.notify();
}

}  // namespace heddle::async
