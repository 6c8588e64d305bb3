// co_await offload(pool, fn): runs fn on the worker pool and resumes where the caller was.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/runtime.h"

namespace heddle::async {

namespace impl {

// co_spawn makes an empty value when an exception comes out; not every type has one.
template <class F>
    requires(!std::is_void_v<std::invoke_result_t<F&>>)
Task<std::optional<std::invoke_result_t<F&>>> call(F fn) {
    co_return fn();
}
template <class F>
    requires std::is_void_v<std::invoke_result_t<F&>>
Task<> call(F fn) {
    fn();
    co_return;
}

}  // namespace impl

// Blocking and CPU-bound work. It cannot be interrupted: a cancelled caller still waits for it
// (give fn a std::stop_token where that matters). Exceptions come out at the co_await. Name a
// capturing lambda before the co_await.
template <class F>
Task<std::invoke_result_t<F&>> offload(WorkerPool& pool, F fn) {
    struct Count {
        std::atomic<std::size_t>& pending;
        explicit Count(std::atomic<std::size_t>& p) : pending(p) { ++pending; }
        ~Count() { --pending; }
    };
    const Count count(pool.pending_);
    // Cancellation must not reach the pool's thread: Asio's signals may only be emitted on the
    // executor that their receiver runs on, and one that comes before the work has begun would
    // throw out of the pool's thread and end the process.
    auto uncancelled = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
        co_await asio::co_spawn(pool.executor(), impl::call(std::move(fn)), std::move(uncancelled));
    } else {
        auto value = co_await asio::co_spawn(pool.executor(), impl::call(std::move(fn)),
                                             std::move(uncancelled));
        co_return std::move(*value);
    }
}

}  // namespace heddle::async
