// The threads that read, each with a connection of its own, so that a search never waits for a
// writer (WAL) nor behind the CPU work of the worker pool.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "storage/session.h"
#include "storage/work_queue.h"

namespace heddle::storage {

class ReaderPool {
public:
    using Work = impl::WorkPtr<Session>;

    ReaderPool(std::vector<std::unique_ptr<Connection>> connections, const Clock& clock,
               std::size_t queue_max);
    // Serves what is queued, then ends.
    ~ReaderPool();

    [[nodiscard]] bool push(Work work) { return queue_.push(std::move(work)); }

private:
    void loop(Connection& connection);

    std::vector<std::unique_ptr<Connection>> connections_;
    const Clock& clock_;
    impl::WorkQueue<Session> queue_;
    std::vector<std::thread> threads_;
};

}  // namespace heddle::storage
