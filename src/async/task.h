// The coroutine type of the project and the few words that every coroutine needs.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace heddle::async {

namespace asio = boost::asio;

// Lazy: runs when awaited or spawned. Parameters of a spawned coroutine are taken by value.
template <class T = void>
using Task = asio::awaitable<T>;

using Executor = asio::any_io_executor;

// Resumes after the time has passed; throws boost::system::system_error(operation_aborted) when
// cancelled.
Task<> sleep_for(std::chrono::nanoseconds duration);
Task<> sleep_until(std::chrono::steady_clock::time_point when);

// Lets other work of this executor run.
Task<> yield();

}  // namespace heddle::async
