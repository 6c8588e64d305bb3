// Runs jobs. A worker serves queues with so many lanes each: it takes as many jobs as lanes are
// free in one transaction, and for each runs its handler and meanwhile keeps the lease, stores
// progress and listens for a cancellation.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/waiter.h"
#include "base/random.h"
#include "jobs/job_queue.h"

namespace heddle::jobs {

// What a handler knows of the job it runs, and says about it.
class JobContext {
public:
    explicit JobContext(Claim claim) : claim_(std::move(claim)) {}

    [[nodiscard]] const Job& job() const { return claim_.job; }
    [[nodiscard]] const Claim& claim() const { return claim_; }

    // JSON shown to whoever watches; stored a few times a second at most, the last one surely.
    // Any thread.
    void set_progress(std::string json);

    // True when the work is to stop: cancelled, taken over, too long, or the worker is leaving.
    // Awaits of the handler are cancelled too; this is for its loops on other threads. Any thread.
    [[nodiscard]] bool should_stop() const { return stop_.stop_requested(); }
    [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }

    // To be called first in every transaction by which the handler makes its work visible: an
    // attempt that has lost its job then writes nothing.
    Result<> require_lease(storage::Transaction& tx) const {
        return jobs::require_lease(tx, claim_.job.id, claim_.token);
    }

private:
    friend class Worker;
    std::optional<std::string> take_progress();

    const Claim claim_;
    std::stop_source stop_;
    std::mutex mutex_;
    std::optional<std::string> progress_;  // guarded by mutex_
};

// One kind of work. run() may be called again for the same job after a crash: what it does must
// bear repetition, and becomes visible under require_lease. It returns the result as JSON; an
// error is tried again unless its code says that this is of no use (jobs/retry.h).
class JobHandler {
public:
    virtual ~JobHandler() = default;
    virtual async::Task<Result<std::string>> run(JobContext& context) = 0;
};

struct Lanes {
    std::string queue;
    int count = 1;
    int running_per_owner_max = 0;  // 0 is no limit
};

struct WorkerOptions {
    std::vector<Lanes> lanes;
    std::chrono::milliseconds lease{30'000};
    // How often progress is stored at most.
    std::chrono::milliseconds progress_every{250};
    // How long an idle queue waits before it is looked at again, for jobs whose time has come and
    // what was not heard of; a job enqueued here or told of by the store starts at once.
    std::chrono::milliseconds poll{1000};
    std::chrono::milliseconds sweep_every{5000};
    RetryPolicy retry;
};

// Lives on one I/O thread: every member is called there.
class Worker {
public:
    Worker(JobQueue& queue, async::Executor executor, WorkerOptions options);
    ~Worker();

    // Before start(). The handler outlives the worker. Without a policy of its own the kind is
    // tried again by the worker's.
    void handle(std::string kind, JobHandler& handler,
                std::optional<RetryPolicy> retry = std::nullopt);
    void start();

    // Takes no more jobs and waits for those that run; after `patience` they are stopped and
    // handed back to the queue.
    async::Task<> stop(std::chrono::milliseconds patience);

    [[nodiscard]] std::size_t running() const { return runs_.size(); }

private:
    enum class StopReason { kCancelled, kTimedOut, kLost, kLeaving };
    struct Run;
    struct Handling {
        JobHandler* handler = nullptr;
        RetryPolicy retry;
    };
    // The lanes of one queue.
    struct QueueLanes {
        ClaimRequest request;
        int count = 0;
        int busy = 0;
        async::Waiter freed;
    };

    async::Task<> serve(QueueLanes* lanes);
    async::Task<> run_in_lane(QueueLanes* lanes, Claim claim);
    async::Task<> sweep_regularly();
    async::Task<> run_claim(Claim claim);
    async::Task<Result<std::string>> run_handler(Run& run);
    async::Task<StopReason> keep_lease(Run& run);
    async::Task<> finish(Run& run);
    Result<bool> store_outcome(storage::Transaction& tx, const Run& run,
                               const std::optional<std::string>& progress,
                               std::chrono::milliseconds retry_after);
    [[nodiscard]] Handling handling_of(const std::string& kind) const;
    void count(const Run& run);

    JobQueue& queue_;
    const WorkerOptions options_;
    const std::string name_;
    std::map<std::string, Handling, std::less<>> handlers_;
    std::vector<std::unique_ptr<QueueLanes>> queues_;
    async::TaskGroup lanes_;
    async::TaskGroup upkeep_;
    std::vector<Run*> runs_;
    Rng rng_;
    bool draining_ = false;  // takes no more jobs
    bool leaving_ = false;   // stops those that run
};

}  // namespace heddle::jobs
