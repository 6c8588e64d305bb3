// The durable queue as the rest of the program sees it. A job is committed before anybody hears
// of its id; every read and change names the owner.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/metrics.h"
#include "jobs/broadcast.h"
#include "jobs/job.h"
#include "jobs/leases.h"
#include "storage/database.h"

namespace heddle::jobs {

struct JobQueueOptions {
    // Jobs that may wait in one queue; beyond it enqueue answers kRateLimited. Checked against a
    // count that is at most a sweep old plus what this process has added.
    std::int64_t depth_max = 100'000;
    // Names the one process that holds a data folder, whichever it is: what a dead predecessor
    // held is taken back at the start. Workers are named after it.
    std::string instance;
    // Worker deaths after which a job is held to be their cause.
    int crashes_max = 3;
    // How long finished jobs stay.
    std::chrono::hours keep_finished{24 * 7};
};

struct Enqueued {
    Job job;
    // False when an idempotency or unique key named a job that was there already.
    bool created = true;
};

struct JobFilter {
    std::string owner;
    std::optional<JobState> state;
    std::optional<std::string> queue;
    std::optional<std::string> kind;
    // Jobs older than this one: the last of the page before.
    std::optional<std::string> before_id;
    int limit = 50;
};

struct QueueStatus {
    std::string queue;
    bool paused = false;
    std::int64_t queued = 0;
    std::int64_t running = 0;
    std::int64_t dead = 0;
    // Of the job that has waited longest past its time; 0 when none waits.
    std::int64_t oldest_wait_ms = 0;
};

// Thread-safe. Outlives the workers that serve it.
class JobQueue {
public:
    // The tables must be there (jobs/schema.h).
    JobQueue(storage::Database& db, JobQueueOptions options = {},
             Metrics& metrics = Metrics::none());

    // In the caller's transaction, so that a row and its job commit together; workers wake after
    // the commit. Owners share a queue in turn: a job stands behind what its owner has waiting and
    // beside the first of the others', however many they have. kConflict when an idempotency key
    // comes back with another body, kRateLimited when the queue is full, kInvalidArgument.
    Result<Enqueued> enqueue(storage::Transaction& tx, const NewJob& job);
    async::Task<Result<Enqueued>> enqueue(NewJob job);

    async::Task<Result<Job>> get(std::string owner, std::string id);
    async::Task<Result<std::vector<Attempt>>> attempts(std::string owner, std::string id);
    // Newest first.
    async::Task<Result<std::vector<Job>>> list(JobFilter filter);

    // A queued job is cancelled at once, a running one is asked to stop; a finished one stays as
    // it is. The job as it is then.
    async::Task<Result<Job>> cancel(std::string owner, std::string id);
    Result<Job> cancel(storage::Transaction& tx, std::string_view owner, std::string_view id);
    // A failed, dead or cancelled job starts anew with all its attempts; kConflict for others.
    async::Task<Result<Job>> redrive(std::string owner, std::string id);

    // A paused queue accepts jobs and starts none; what runs goes on.
    async::Task<Result<>> set_paused(std::string queue, bool paused);
    async::Task<Result<std::vector<QueueStatus>>> status();

    // For the operator, over all owners: the dead jobs of a queue, newest first, and sending up to
    // `limit` of them again (the number sent).
    async::Task<Result<std::vector<Job>>> dead_letters(std::string queue,
                                                       std::optional<std::string> before_id,
                                                       int limit);
    async::Task<Result<std::int64_t>> redrive_dead(std::string queue, int limit);

    // Follows one job: next() is its newest state whenever that differs from the last one seen,
    // nothing after a final state has been delivered, kNotFound when it has gone.
    class Watch {
    public:
        async::Task<Result<std::optional<Job>>> next();

    private:
        friend class JobQueue;
        Watch(JobQueue& queue, std::string owner, std::string id);
        JobQueue& queue_;
        std::string owner_;
        std::string id_;
        std::int64_t version_ = 0;
        bool over_ = false;
        std::unique_ptr<Broadcast::Subscription> changes_;
    };
    [[nodiscard]] std::unique_ptr<Watch> watch(std::string owner, std::string id);

    // For workers.
    async::Task<Result<std::vector<Claim>>> claim(ClaimRequest request);
    // Takes back what dead workers hold, removes what is past its time, counts for the metrics.
    async::Task<Result<>> sweep();
    // At the start, before any worker: takes back at once what no living worker can hold. SQLite
    // has one process; of a server it is what the predecessor of this instance held.
    Result<std::size_t> recover_blocking();

    // After the commit, tells watchers of the job and, with its queue, workers; here and in the
    // other processes of the store.
    void announce(storage::Transaction& tx, std::string id, std::string queue = {});

    [[nodiscard]] std::unique_ptr<Broadcast::Subscription> listen_for_jobs(std::string queue) {
        return ready_->subscribe(std::move(queue));
    }
    [[nodiscard]] std::unique_ptr<Broadcast::Subscription> listen_for_cancel(std::string id) {
        return cancels_->subscribe(std::move(id));
    }
    // Makes the listeners of a queue, or of a job's cancellation, look again.
    void wake_queue(const std::string& queue) { ready_->publish(queue); }
    void wake_run(const std::string& id) { cancels_->publish(id); }
    [[nodiscard]] storage::Database& database() { return db_; }
    [[nodiscard]] const JobQueueOptions& options() const { return options_; }
    [[nodiscard]] Metrics& metrics() { return metrics_; }

private:
    Result<> check(const NewJob& job) const;
    void hear_of_others();
    void wake_workers(storage::Transaction& tx, std::string queue);
    Result<> send_again(storage::Transaction& tx, const Job& job);
    Result<std::size_t> reclaim(storage::Transaction& tx, Reclaim::Which which);
    Result<> remove_finished(storage::Transaction& tx);
    Result<std::optional<Job>> find_same(storage::Transaction& tx, const NewJob& job);

    storage::Database& db_;
    const JobQueueOptions options_;
    Metrics& metrics_;
    std::shared_ptr<Broadcast> ready_ = std::make_shared<Broadcast>();    // by queue
    std::shared_ptr<Broadcast> changes_ = std::make_shared<Broadcast>();  // by job
    std::shared_ptr<Broadcast> cancels_ = std::make_shared<Broadcast>();  // by job
    // Jobs that wait, by queue; corrected by every sweep.
    class Depths {
    public:
        void add(const std::string& queue, std::int64_t count);
        void replace(const std::vector<QueueStatus>& queues);
        [[nodiscard]] std::int64_t of(const std::string& queue) const;

    private:
        mutable std::mutex mutex_;
        std::map<std::string, std::int64_t> counts_;  // guarded by mutex_
    };
    const std::shared_ptr<Depths> depths_ = std::make_shared<Depths>();
};

}  // namespace heddle::jobs
