// Bounds how many coroutines do something at once (per host, per upstream, globally). First come,
// first served; thread-safe; a cancelled wait leaves the queue.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

#include "async/waiter.h"

namespace heddle::async {

class Semaphore : public std::enable_shared_from_this<Semaphore> {
public:
    // Returns its permit when destroyed.
    class Permit {
    public:
        Permit() = default;
        explicit Permit(std::shared_ptr<Semaphore> owner) : owner_(std::move(owner)) {}
        Permit(Permit&&) noexcept = default;
        Permit& operator=(Permit&& other) noexcept;
        Permit(const Permit&) = delete;
        Permit& operator=(const Permit&) = delete;
        ~Permit();

    private:
        std::shared_ptr<Semaphore> owner_;
    };

    static std::shared_ptr<Semaphore> create(std::size_t permits);

    Task<Permit> acquire();
    // Nothing when none is free.
    [[nodiscard]] bool try_acquire(Permit& out);
    [[nodiscard]] std::size_t available() const;
    [[nodiscard]] std::size_t waiting() const;

private:
    explicit Semaphore(std::size_t permits) : free_(permits) {}
    void release();

    struct Entry {
        Waiter waiter;
        bool granted = false;
    };

    mutable std::mutex mutex_;
    std::size_t free_;                           // guarded by mutex_
    std::list<std::shared_ptr<Entry>> waiting_;  // guarded by mutex_
};

}  // namespace heddle::async
