// Runs a run-time number of tasks at once on the caller's executor and collects their values in
// order.
#pragma once

#include <exception>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "async/task.h"
#include "async/waiter.h"

namespace heddle::async {

// All tasks end before gather returns. When the caller is cancelled, so are they; the first
// exception of a task cancels the others and comes out. For outcomes use Task<Result<T>>.
template <class T>
Task<std::vector<T>> gather(std::vector<Task<T>> tasks) {
    static_assert(!std::is_void_v<T>, "gather collects values; return a Result<> for none");
    struct State {
        std::vector<std::optional<T>> values;
        std::list<asio::cancellation_signal> signals;
        std::size_t running = 0;
        std::exception_ptr failure;
        Waiter done;
        void cancel_all() {
            for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
        }
    };
    State state;
    state.values.resize(tasks.size());
    state.running = tasks.size();
    const auto executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        auto& signal = state.signals.emplace_back();
        auto finished = [&state, i](std::exception_ptr failure, auto... value) {
            if (failure && !state.failure) {
                state.failure = failure;
                state.cancel_all();
            }
            if (!failure) state.values[i].emplace(std::move(value)...);
            if (--state.running == 0) state.done.notify();
        };
        asio::co_spawn(executor, std::move(tasks[i]),
                       asio::bind_cancellation_slot(signal.slot(), std::move(finished)));
    }
    bool cancelled = false;
    while (state.running > 0) {
        if (cancelled) {
            // The caller is to stop, but its children still use this frame.
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            co_await state.done.wait();
            continue;
        }
        try {
            co_await state.done.wait();
        } catch (const boost::system::system_error&) {
            cancelled = true;
            state.cancel_all();
        }
    }
    if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
    if (state.failure) std::rethrow_exception(state.failure);
    std::vector<T> values;
    values.reserve(state.values.size());
    for (auto& value : state.values) values.push_back(std::move(*value));
    co_return values;
}

}  // namespace heddle::async
