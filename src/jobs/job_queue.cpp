#include "jobs/job_queue.h"

#include <fmt/format.h>

#include <utility>

#include "base/ids.h"

namespace heddle::jobs {
namespace {

using storage::Bind;
using storage::Row;
using storage::Session;
using storage::Transaction;

constexpr std::size_t kPayloadMax = 1 << 20;
constexpr std::size_t kNameMax = 200;
constexpr int kPageMax = 500;
// Another process may change a job without telling this one.
constexpr std::chrono::milliseconds kWatchPoll{1000};

Error no_such_job() {
    return {ErrorCode::kNotFound, "there is no such job"};
}

Result<Job> find_job(Session& session, std::string_view owner, std::string_view id) {
    static const std::string sql =
        fmt::format("SELECT {} FROM jobs WHERE id = ? AND owner = ?", kJobColumns);
    HEDDLE_TRY(auto job, session.first(sql, read_job, id, owner));
    if (!job) return fail(no_such_job());
    return std::move(*job);
}

}  // namespace

JobQueue::JobQueue(storage::Database& db, JobQueueOptions options, Metrics& metrics)
    : db_(db), options_(options), metrics_(metrics) {}

Result<> JobQueue::check(const NewJob& job) const {
    const auto refuse = [](std::string message, std::string param) {
        return fail(
            Error(ErrorCode::kInvalidArgument, std::move(message)).with_param(std::move(param)));
    };
    if (job.queue.empty() || job.queue.size() > kNameMax) {
        return refuse("queue must have 1 to 200 characters", "queue");
    }
    if (job.kind.empty() || job.kind.size() > kNameMax) {
        return refuse("kind must have 1 to 200 characters", "kind");
    }
    if (job.payload.size() > kPayloadMax) {
        return refuse("payload must have at most 1 MiB", "payload");
    }
    if (job.attempts_max < 1 || job.attempts_max > 100) {
        return refuse("attempts_max must be 1 to 100", "attempts_max");
    }
    const auto too_long = [](const std::optional<std::string>& key) {
        return key && (key->empty() || key->size() > kNameMax);
    };
    if (too_long(job.idempotency_key)) {
        return refuse("idempotency key must have 1 to 200 characters", "idempotency_key");
    }
    if (too_long(job.unique_key)) {
        return refuse("unique_key must have 1 to 200 characters", "unique_key");
    }
    return {};
}

Result<Enqueued> JobQueue::enqueue(Transaction& tx, const NewJob& job) {
    HEDDLE_TRY_VOID(check(job));
    if (depth_.load(std::memory_order_relaxed) >= options_.depth_max) {
        return fail(Error(ErrorCode::kRateLimited, "too many jobs are waiting; try again later")
                        .with_retry_after(10));
    }
    HEDDLE_TRY(const auto now, tx.now_ms());
    static const std::string sql = fmt::format(
        "INSERT INTO jobs (id, queue, kind, owner, state, priority, payload, attempts_max, "
        "created_at, run_at, run_time_max_ms, idempotency_key, unique_key) "
        "VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING "
        "RETURNING {}",
        kJobColumns);
    HEDDLE_TRY(auto stored,
               tx.first(sql, read_job, new_id(), job.queue, job.kind, job.owner, job.priority,
                        job.payload, job.attempts_max, now, now + job.delay.count(),
                        job.run_time_max.count(), job.idempotency_key, job.unique_key));
    if (stored) {
        announce(tx, stored->id, stored->queue);
        tx.after_commit([this] { ++depth_; });
        return Enqueued{.job = std::move(*stored), .created = true};
    }
    HEDDLE_TRY(auto same, find_same(tx, job));
    if (!same) return fail(ErrorCode::kConflict, "the job could not be told from another");
    return Enqueued{.job = std::move(*same), .created = false};
}

Result<std::optional<Job>> JobQueue::find_same(Transaction& tx, const NewJob& job) {
    if (job.idempotency_key) {
        static const std::string sql =
            fmt::format("SELECT {} FROM jobs WHERE owner = ? AND idempotency_key = ?", kJobColumns);
        HEDDLE_TRY(auto same, tx.first(sql, read_job, job.owner, *job.idempotency_key));
        if (same &&
            (same->kind != job.kind || same->queue != job.queue || same->payload != job.payload)) {
            return fail(
                Error(ErrorCode::kConflict, "this idempotency key was used for another request")
                    .with_reason("idempotency_key_reused")
                    .with_param("idempotency_key"));
        }
        if (same) return same;
    }
    static const std::string sql = fmt::format(
        "SELECT {} FROM jobs WHERE unique_key = ? AND state IN ('queued', 'running')", kJobColumns);
    return tx.first(sql, read_job, job.unique_key);
}

void JobQueue::announce(Transaction& tx, std::string id, std::string queue) {
    tx.after_commit([this, id = std::move(id), queue = std::move(queue)] {
        changes_->publish(id);
        if (!queue.empty()) ready_->publish(queue);
    });
}

async::Task<Result<Enqueued>> JobQueue::enqueue(NewJob job) {
    const auto fn = [this, &job](Transaction& tx) { return enqueue(tx, job); };
    co_return co_await db_.write(fn);
}

async::Task<Result<Job>> JobQueue::get(std::string owner, std::string id) {
    const auto fn = [&](Session& session) { return find_job(session, owner, id); };
    co_return co_await db_.read(fn);
}

async::Task<Result<std::vector<Attempt>>> JobQueue::attempts(std::string owner, std::string id) {
    const auto fn = [&](Session& session) -> Result<std::vector<Attempt>> {
        HEDDLE_TRY_VOID(find_job(session, owner, id));
        const auto read = [](const Row& row) {
            return Attempt{.worker = row.string(0),
                           .started_at = row.integer(1),
                           .ended_at = row.optional_integer(2),
                           .outcome = row.string(3),
                           .error = row.string(4)};
        };
        return session.select(
            "SELECT worker, started_at, ended_at, outcome, error FROM job_attempts "
            "WHERE job_id = ? ORDER BY id",
            read, id);
    };
    co_return co_await db_.read(fn);
}

async::Task<Result<std::vector<Job>>> JobQueue::list(JobFilter filter) {
    std::string sql = fmt::format("SELECT {} FROM jobs WHERE owner = ?", kJobColumns);
    std::vector<Bind> values{filter.owner};
    const auto add = [&](std::string_view condition, Bind value) {
        sql += condition;
        values.push_back(value);
    };
    if (filter.state) add(" AND state = ?", to_string(*filter.state));
    if (filter.queue) add(" AND queue = ?", *filter.queue);
    if (filter.kind) add(" AND kind = ?", *filter.kind);
    if (filter.before_id) add(" AND id < ?", *filter.before_id);
    add(" ORDER BY id DESC LIMIT ?", std::clamp(filter.limit, 1, kPageMax));
    const auto fn = [&](Session& session) { return session.select_with(sql, read_job, values); };
    co_return co_await db_.read(fn);
}

Result<Job> JobQueue::cancel(Transaction& tx, std::string_view owner, std::string_view id) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    HEDDLE_TRY_VOID(tx.execute(
        "UPDATE jobs SET version = version + 1, cancel_requested = 1, "
        "finished_at = CASE WHEN state = 'queued' THEN CAST(? AS BIGINT) ELSE finished_at END, "
        "error = CASE WHEN state = 'queued' THEN 'cancelled' ELSE error END, "
        "state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END "
        "WHERE id = ? AND owner = ? AND state IN ('queued', 'running')",
        now, id, owner));
    tx.after_commit([this, key = std::string(id)] {
        cancels_->publish(key);
        changes_->publish(key);
    });
    return find_job(tx, owner, id);
}

async::Task<Result<Job>> JobQueue::cancel(std::string owner, std::string id) {
    const auto fn = [&](Transaction& tx) { return cancel(tx, owner, id); };
    co_return co_await db_.write(fn);
}

async::Task<Result<Job>> JobQueue::redrive(std::string owner, std::string id) {
    const auto fn = [&](Transaction& tx) -> Result<Job> {
        HEDDLE_TRY(const auto now, tx.now_ms());
        HEDDLE_TRY(const auto changed,
                   tx.execute("UPDATE jobs SET state = 'queued', attempts = 0, crashes = 0, "
                              "cancel_requested = 0, error = NULL, progress = NULL, run_at = ?, "
                              "finished_at = NULL, version = version + 1 WHERE id = ? "
                              "AND owner = ? AND state IN ('failed', 'dead', 'cancelled')",
                              now, id, owner));
        HEDDLE_TRY(auto job, find_job(tx, owner, id));
        if (changed == 0) {
            return fail(ErrorCode::kConflict, "only a failed, dead or cancelled job is sent again");
        }
        announce(tx, job.id, job.queue);
        return job;
    };
    co_return co_await db_.write(fn);
}

async::Task<Result<>> JobQueue::set_paused(std::string queue, bool paused) {
    const auto fn = [&](Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(
            tx.execute("INSERT INTO job_queues (queue, paused) VALUES (?, ?) "
                       "ON CONFLICT (queue) DO UPDATE SET paused = excluded.paused",
                       queue, paused));
        tx.after_commit([this, key = queue] { ready_->publish(key); });
        return {};
    };
    co_return co_await db_.write(fn);
}

async::Task<Result<std::vector<QueueStatus>>> JobQueue::status() {
    const auto fn = [](Session& session) -> Result<std::vector<QueueStatus>> {
        HEDDLE_TRY(const auto now, session.now_ms());
        const auto read = [now](const Row& row) {
            return QueueStatus{
                .queue = row.string(0),
                .paused = row.boolean(1),
                .queued = row.integer(2),
                .running = row.integer(3),
                .oldest_wait_ms =
                    row.is_null(4) ? 0 : std::max<std::int64_t>(0, now - row.integer(4))};
        };
        return session.select(
            "SELECT n.queue, COALESCE(MAX(q.paused), 0), "
            "SUM(CASE WHEN n.state = 'queued' THEN 1 ELSE 0 END), "
            "SUM(CASE WHEN n.state = 'running' THEN 1 ELSE 0 END), "
            "MIN(CASE WHEN n.state = 'queued' THEN n.run_at END) FROM "
            "(SELECT queue, state, run_at FROM jobs WHERE state = 'queued' UNION ALL "
            " SELECT queue, state, run_at FROM jobs WHERE state = 'running' UNION ALL "
            " SELECT queue, '', 0 FROM job_queues) n "
            "LEFT JOIN job_queues q ON q.queue = n.queue GROUP BY n.queue ORDER BY n.queue",
            read);
    };
    co_return co_await db_.read(fn);
}

JobQueue::Watch::Watch(JobQueue& queue, std::string owner, std::string id)
    : queue_(queue),
      owner_(std::move(owner)),
      id_(std::move(id)),
      changes_(queue.changes_->subscribe(id_)) {}

std::unique_ptr<JobQueue::Watch> JobQueue::watch(std::string owner, std::string id) {
    return std::unique_ptr<Watch>(new Watch(*this, std::move(owner), std::move(id)));
}

async::Task<Result<std::optional<Job>>> JobQueue::Watch::next() {
    while (!over_) {
        HEDDLE_CO_TRY(auto job, co_await queue_.get(owner_, id_));
        if (job.version != version_) {
            version_ = job.version;
            over_ = is_final(job.state);
            co_return job;
        }
        co_await changes_->changed_within(kWatchPoll);
    }
    co_return std::nullopt;
}

async::Task<Result<std::optional<Claim>>> JobQueue::claim(ClaimRequest request) {
    const auto fn = [&](Transaction& tx) -> Result<std::optional<Claim>> {
        HEDDLE_TRY(auto claim, claim_job(tx, request));
        if (claim) {
            announce(tx, claim->job.id);
            tx.after_commit([this] { --depth_; });
        }
        return claim;
    };
    co_return co_await db_.write(fn);
}

async::Task<Result<>> JobQueue::sweep() {
    const auto fn = [this](Transaction& tx) -> Result<> {
        HEDDLE_TRY(const auto touched, reclaim_jobs(tx, Reclaim::kExpired, options_.crashes_max));
        for (const std::string& id : touched) announce(tx, id);
        HEDDLE_TRY(const auto now, tx.now_ms());
        const auto keep = std::chrono::milliseconds(options_.keep_finished).count();
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM jobs WHERE finished_at < ?", now - keep));
        return {};
    };
    HEDDLE_CO_TRY_VOID(co_await db_.write(fn));
    HEDDLE_CO_TRY(const auto queues, co_await status());
    std::int64_t depth = 0;
    for (const QueueStatus& queue : queues) {
        depth += queue.queued;
        const Metrics::Labels labels{{"queue", queue.queue}};
        metrics_.gauge("jobs_queued", "Jobs that wait", labels)
            .set(static_cast<double>(queue.queued));
        metrics_.gauge("jobs_running", "Jobs that run", labels)
            .set(static_cast<double>(queue.running));
        metrics_
            .gauge("jobs_oldest_wait_seconds", "Wait of the job that has waited longest", labels)
            .set(static_cast<double>(queue.oldest_wait_ms) / 1000);
    }
    depth_ = depth;
    co_return Result<>();
}

Result<std::size_t> JobQueue::recover_blocking() {
    const auto fn = [this](Transaction& tx) -> Result<std::size_t> {
        HEDDLE_TRY(const auto touched, reclaim_jobs(tx, Reclaim::kAll, options_.crashes_max));
        HEDDLE_TRY(depth_, tx.number("SELECT count(*) FROM jobs WHERE state = 'queued'"));
        return touched.size();
    };
    return db_.write_blocking(fn);
}

}  // namespace heddle::jobs
