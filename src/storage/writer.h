// The one thread that writes. Everything queued when it comes round goes into one transaction,
// each function in a savepoint of its own: N callers share one fsync, and one that fails takes
// nothing of the others with it.
#pragma once

#include <functional>
#include <memory>
#include <set>
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

    // `origin` names this process in what is told to others.
    Writer(std::unique_ptr<Connection> connection, const Clock& clock, Metrics& metrics,
           std::size_t queue_max, std::string origin);
    // Serves what is queued, then ends.
    ~Writer();

    [[nodiscard]] bool push(Work work) { return queue_.push(std::move(work)); }

private:
    // What follows the commit.
    struct Aftermath {
        std::vector<std::function<void()>> hooks;
        std::set<std::string> news;
    };

    void loop();
    void commit_together(std::vector<Work> group);
    // Runs and commits the functions; all of them are undone when it fails.
    Result<> commit(std::span<const Work> group);
    Result<> run_all(std::span<const Work> group, Aftermath& after);
    Result<> run_one(const Work& work, bool alone, Aftermath& after);
    Result<> tell(const std::set<std::string>& news);

    std::unique_ptr<Connection> connection_;
    const Clock& clock_;
    const std::string origin_;
    Histogram& group_size_;
    Histogram& commit_seconds_;
    impl::WorkQueue<Transaction> queue_;
    std::thread thread_;
};

// The channel by which the processes of a PostgreSQL store tell each other of changes: a message
// is the origin and then lines of news, each ended by a line feed.
inline constexpr std::string_view kNewsChannel = "heddle";

}  // namespace heddle::storage
