// A bounded stream of items from one or more producers to one consumer, with an explicit end.
//
// Asio's channels drop what is buffered when they are closed (Boost 1.81), which is fatal for
// tokens; here everything pushed before close() is delivered, then the end. The consumer may
// take all that is ready at once, so that several events leave in one write.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "async/waiter.h"

namespace heddle::async {

// Thread-safe; share it as std::shared_ptr between producer and consumer. Producers on plain
// threads use try_push, coroutines push. When the consumer has gone (abandon()), pushes return
// false: the producer stops.
template <class T>
class Stream {
public:
    explicit Stream(std::size_t capacity) : capacity_(capacity) {}

    // False when full, closed or abandoned; the item is then untouched.
    [[nodiscard]] bool try_push(T&& item) {
        {
            const std::lock_guard lock(mutex_);
            if (ended_ || abandoned_ || items_.size() >= capacity_) return false;
            items_.push_back(std::move(item));
        }
        readable_.notify();
        return true;
    }

    // Waits for room. False when the stream is closed or abandoned. One coroutine pushes at a
    // time.
    Task<bool> push(T item) {
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                if (ended_ || abandoned_) co_return false;
                if (items_.size() < capacity_) {
                    items_.push_back(std::move(item));
                    break;
                }
            }
            co_await writable_.wait();
        }
        readable_.notify();
        co_return true;
    }

    // No more items will come; what is buffered is still delivered. Idempotent.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        readable_.notify();
        writable_.notify();
    }

    // The consumer has gone: drops what is buffered and refuses the rest. Idempotent.
    void abandon() {
        std::deque<T> dropped;
        {
            const std::lock_guard lock(mutex_);
            abandoned_ = true;
            dropped.swap(items_);
        }
        writable_.notify();
    }

    [[nodiscard]] bool abandoned() const {
        const std::lock_guard lock(mutex_);
        return abandoned_;
    }

    // The next item, or nothing at the end.
    Task<std::optional<T>> next() {
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                if (!items_.empty()) {
                    std::optional<T> item(std::move(items_.front()));
                    items_.pop_front();
                    writable_.notify();
                    co_return item;
                }
                if (ended_ || abandoned_) co_return std::nullopt;
            }
            co_await readable_.wait();
        }
    }

    // Waits for at least one item, then takes all that are ready; empty at the end.
    Task<std::vector<T>> next_batch() {
        std::vector<T> batch;
        std::optional<T> first = co_await next();
        if (!first) co_return batch;
        batch.push_back(std::move(*first));
        const std::lock_guard lock(mutex_);
        for (T& item : items_) batch.push_back(std::move(item));
        items_.clear();
        writable_.notify();
        co_return batch;
    }

private:
    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::deque<T> items_;     // guarded by mutex_
    bool ended_ = false;      // guarded by mutex_
    bool abandoned_ = false;  // guarded by mutex_
    Waiter readable_;
    Waiter writable_;
};

}  // namespace heddle::async
