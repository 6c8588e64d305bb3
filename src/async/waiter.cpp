#include "async/waiter.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.h"

namespace heddle::async {

// Behind a pointer: 1.81's any_completion_handler wraps itself endlessly when it is copied as part
// of a lambda.
using AnyHandler = asio::any_completion_handler<void(boost::system::error_code)>;
using Handler = std::unique_ptr<AnyHandler>;

struct Waiter::State : std::enable_shared_from_this<State> {
    std::mutex mutex;
    Handler handler;               // empty unless somebody waits
    Executor executor;             // where the waiting coroutine resumes
    std::uint64_t generation = 0;  // tells a late cancellation that its wait is over
    bool notified = false;

    // Never completes inline: the caller may hold locks, and is often on another thread.
    static void complete(const Executor& executor, Handler ready, boost::system::error_code ec) {
        asio::post(executor, [ready = std::move(ready), ec]() mutable { std::move (*ready)(ec); });
    }

    void start(Executor home, Handler waiting) {
        std::unique_lock lock(mutex);
        HEDDLE_CHECK(!handler, "two coroutines wait at one Waiter");
        if (notified) {
            notified = false;
            lock.unlock();
            complete(home, std::move(waiting), {});
            return;
        }
        const std::uint64_t mine = ++generation;
        if (auto slot = asio::get_associated_cancellation_slot(*waiting); slot.is_connected()) {
            slot.assign([weak = weak_from_this(), mine](asio::cancellation_type) {
                if (const auto self = weak.lock()) self->cancel(mine);
            });
        }
        executor = std::move(home);
        handler = std::move(waiting);
    }

    void cancel(std::uint64_t which) {
        std::unique_lock lock(mutex);
        if (!handler || generation != which) return;
        Handler ready = std::move(handler);
        const Executor home = executor;
        lock.unlock();
        complete(home, std::move(ready), asio::error::operation_aborted);
    }
};

Waiter::Waiter() : state_(std::make_shared<State>()) {}

Waiter::~Waiter() {
    HEDDLE_CHECK(!state_->handler, "a Waiter was destroyed while awaited");
}

void Waiter::notify() {
    std::unique_lock lock(state_->mutex);
    if (!state_->handler) {
        state_->notified = true;
        return;
    }
    Handler ready = std::move(state_->handler);
    const Executor home = state_->executor;
    lock.unlock();
    State::complete(home, std::move(ready), {});
}

Task<> Waiter::wait() {
    const Executor home = co_await asio::this_coro::executor;
    const auto initiate = [](auto handler, std::shared_ptr<State> state, Executor executor) {
        state->start(std::move(executor), std::make_unique<AnyHandler>(std::move(handler)));
    };
    co_await asio::async_initiate<decltype(asio::use_awaitable), void(boost::system::error_code)>(
        initiate, asio::use_awaitable, state_, home);
}

}  // namespace heddle::async
