// A place where one coroutine waits until any thread wakes it. The building block of Stream and
// Semaphore; prefer those.
#pragma once

#include <memory>

#include "async/task.h"

namespace heddle::async {

// notify() is sticky: one that comes before wait() makes the next wait() return at once, several
// count as one. At most one coroutine waits at a time. Thread-safe.
class Waiter {
public:
    Waiter();
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    void notify();

    // Resumes on the caller's executor. Throws system_error(operation_aborted) when cancelled.
    Task<> wait();

private:
    struct State;
    std::shared_ptr<State> state_;  // outlives the Waiter while a wake-up is on its way
};

}  // namespace heddle::async
