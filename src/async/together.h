// Two tasks at once that stand or fall together: who writes and who reads what was written.
#pragma once

#include <exception>
#include <type_traits>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

#include "async/task.h"

namespace heddle::async {

// Runs both on the caller's executor and gives the value of the one that has one. When one fails
// the other is cancelled and awaited, and the failure comes out; when the caller is cancelled that
// is one cancellation, as everywhere (Asio alone would throw multiple_exceptions).
template <class A, class B>
Task<std::conditional_t<std::is_void_v<A>, B, A>> together(Task<A> first, Task<B> second) {
    static_assert(std::is_void_v<A> || std::is_void_v<B>, "at most one of them has a value");
    using namespace asio::experimental::awaitable_operators;
    try {
        co_return co_await (std::move(first) && std::move(second));
    } catch (const asio::multiple_exceptions& both) {
        std::rethrow_exception(both.first_exception());
    }
}

}  // namespace heddle::async
