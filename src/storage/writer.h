// The one thread that writes. Everything queued when it comes round goes into one transaction,
// each function in a savepoint of its own: N callers share one fsync, and one that fails takes
// nothing of the others with it.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "storage/session.h"
#include "storage/work_queue.h"

namespace heddle::storage {

class Writer {
public:
    using Work = impl::WorkPtr<Transaction>;

    Writer(std::unique_ptr<Connection> connection, const Clock& clock, Metrics& metrics,
           std::size_t queue_max);
    // Serves what is queued, then ends.
    ~Writer();

    [[nodiscard]] bool push(Work work) { return queue_.push(std::move(work)); }

private:
    void loop();
    void commit_together(std::vector<Work> group);
    // Runs each function; false when the transaction was lost on the way.
    Result<> run_all(const std::vector<Work>& group, std::vector<std::function<void()>>& hooks);
    Result<> run_one(Work& work, bool alone, std::vector<std::function<void()>>& hooks);

    std::unique_ptr<Connection> connection_;
    const Clock& clock_;
    Histogram& group_size_;
    Histogram& commit_seconds_;
    impl::WorkQueue<Transaction> queue_;
    std::thread thread_;
};

}  // namespace heddle::storage
