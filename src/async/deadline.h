// Deadlines: a point in time that travels with a request, and the race of a task against it.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

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

template <class T>
using Raced =
    std::variant<std::conditional_t<std::is_void_v<T>, std::monostate, T>, std::monostate>;

// When the caller is cancelled both sides of the race throw; to the caller that is one
// cancellation.
template <class T>
Task<Raced<T>> race_against(Deadline deadline, Task<T> task) {
    using namespace asio::experimental::awaitable_operators;
    try {
        co_return co_await (std::move(task) || wait_until(deadline.when()));
    } catch (const asio::multiple_exceptions& both) {
        std::rethrow_exception(both.first_exception());
    }
}
}  // namespace impl

// The task's value, or kDeadlineExceeded when time runs out first; the task is then cancelled and
// awaited, so it must be cancellable (no offloaded work inside that runs for long).
template <class T>
Task<Result<T>> with_deadline(Deadline deadline, Task<T> task) {
    auto outcome = co_await impl::race_against(deadline, std::move(task));
    if (outcome.index() == 0) {
        if constexpr (std::is_void_v<T>) {
            co_return Result<T>();
        } else {
            co_return std::get<0>(std::move(outcome));
        }
    }
    co_return fail(ErrorCode::kDeadlineExceeded, "the deadline has passed");
}

// The same for tasks that already return a Result.
template <class T>
Task<Result<T>> with_deadline(Deadline deadline, Task<Result<T>> task) {
    auto outcome = co_await impl::race_against(deadline, std::move(task));
    if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));
    co_return fail(ErrorCode::kDeadlineExceeded, "the deadline has passed");
}

}  // namespace heddle::async
