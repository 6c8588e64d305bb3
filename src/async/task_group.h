// Every task belongs to a group: spawned into it, cancelled with it, joined before it dies.
// (Beast's task_group and seastar's gate; the destructor checks that nothing is outstanding.)
#pragma once

#include <cstddef>
#include <list>
#include <string_view>

#include <boost/asio/cancellation_signal.hpp>

#include "async/task.h"
#include "async/waiter.h"

namespace heddle::async {

// Lives on one single-threaded executor: all members are called there, and all tasks run there.
class TaskGroup {
public:
    // `room` names the owner in log lines.
    TaskGroup(Executor executor, std::string_view room)
        : executor_(std::move(executor)), room_(room) {}
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts the task. An exception that leaves it is logged as an error, except cancellation.
    void spawn(Task<> task);

    // Asks every task to stop: `total` first, `terminal` when patience is at its end.
    void cancel(asio::cancellation_type type = asio::cancellation_type::total |
                                               asio::cancellation_type::terminal);

    // Resumes when all tasks have ended. New tasks may still be spawned meanwhile.
    Task<> join();

    [[nodiscard]] std::size_t size() const { return signals_.size(); }
    [[nodiscard]] const Executor& executor() const { return executor_; }

private:
    Executor executor_;
    std::string_view room_;
    std::list<asio::cancellation_signal> signals_;  // one for each running task
    Waiter idle_;
    bool joining_ = false;
};

}  // namespace heddle::async
