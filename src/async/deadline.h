// Deadlines: a point in time that travels with a request, and the race of a task against it.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/task.h"
#include "base/result.h"

namespace heddle::async {

class Deadline {
public:
    using Time = std::chrono::steady_clock::time_point;

    static Deadline never() { return Deadline(Time::max()); }
    static Deadline after(std::chrono::nanoseconds duration) {
        return Deadline(std::chrono::steady_clock::now() + duration);
    }
    explicit Deadline(Time when) : when_(when) {}

    [[nodiscard]] Time when() const { return when_; }
    [[nodiscard]] bool passed() const { return std::chrono::steady_clock::now() >= when_; }
    [[nodiscard]] Deadline sooner(Deadline other) const {
        return Deadline(std::min(when_, other.when_));
    }
    [[nodiscard]] Deadline sooner(std::chrono::nanoseconds from_now) const {
        return sooner(after(from_now));
    }

private:
    Time when_;
};

namespace impl {
Task<> wait_until(std::chrono::steady_clock::time_point when);
}

// The task's value, or kDeadlineExceeded when time runs out first; the task is then cancelled and
// awaited, so it must be cancellable (no offloaded work inside that runs for long).
template <class T>
Task<Result<T>> with_deadline(Deadline deadline, Task<T> task) {
    using namespace asio::experimental::awaitable_operators;
    if constexpr (std::is_void_v<T>) {
        auto outcome = co_await (std::move(task) || impl::wait_until(deadline.when()));
        if (outcome.index() == 0) co_return Result<T>();
    } else {
        auto outcome = co_await (std::move(task) || impl::wait_until(deadline.when()));
        if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));
    }
    co_return fail(ErrorCode::kDeadlineExceeded, "the deadline has passed");
}

// The same for tasks that already return a Result.
template <class T>
Task<Result<T>> with_deadline(Deadline deadline, Task<Result<T>> task) {
    using namespace asio::experimental::awaitable_operators;
    auto outcome = co_await (std::move(task) || impl::wait_until(deadline.when()));
    if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));
    co_return fail(ErrorCode::kDeadlineExceeded, "the deadline has passed");
}

}  // namespace heddle::async
