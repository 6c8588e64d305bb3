#include "async/task_group.h"

#include <exception>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.h"
#include "base/log.h"

namespace heddle::async {
namespace {

// A spawned coroutine ignores total cancellation unless it says that it wants it.
Task<> listen_to_cancellation(Task<> task) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await std::move(task);
}

void report(std::string_view room, const std::exception_ptr& failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) return;
        log::error(room, "a background task failed", {{"error", error.code().message()}});
    } catch (const std::exception& error) {
        log::error(room, "a background task failed", {{"error", error.what()}});
    }
}

}  // namespace

TaskGroup::~TaskGroup() {
    HEDDLE_CHECK(signals_.empty(), "a TaskGroup died before its tasks");
}

void TaskGroup::spawn(Task<> task) {
    const auto signal = signals_.emplace(signals_.end());
    const auto finished = [this, signal](const std::exception_ptr& failure) {
        report(room_, failure);
        signals_.erase(signal);
        if (signals_.empty() && joining_) idle_.notify();
    };
    asio::co_spawn(executor_, listen_to_cancellation(std::move(task)),
                   asio::bind_cancellation_slot(signal->slot(), finished));
}

void TaskGroup::cancel(asio::cancellation_type type) {
    // A cancelled task may end, and leave the list, before emit() returns.
    for (auto it = signals_.begin(); it != signals_.end();) {
        auto& signal = *it++;
        signal.emit(type);
    }
}

Task<> TaskGroup::join() {
    joining_ = true;
    while (!signals_.empty()) co_await idle_.wait();
    joining_ = false;
}

}  // namespace heddle::async
