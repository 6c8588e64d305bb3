#include "jobs/job_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/log.h"

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
    : db_(db), options_(std::move(options)), metrics_(metrics) {
    hear_of_others();
}

// News of other processes: "queue NAME", "job ID" and "cancel ID".
void JobQueue::hear_of_others() {
    const auto hear = [ready = ready_, changes = changes_,
                       cancels = cancels_](std::string_view news) {
        const std::size_t space = std::min(news.find(' '), news.size());
        const std::string_view what = news.substr(0, space);
        const std::string key(news.substr(std::min(space + 1, news.size())));
        if (what.empty()) {
            for (Broadcast* all : {ready.get(), changes.get(), cancels.get()}) all->publish_all();
        }
        if (what == "queue") ready->publish(key);
        if (what == "cancel") cancels->publish(key);
        if (what == "cancel" || what == "job") changes->publish(key);
    };
    if (const auto heard = db_.on_news(hear); !heard) {
        log::warn("jobs", "other processes are not heard; their jobs are found by looking",
                  {{"error", heard.error().message()}});
    }
}

void JobQueue::Depths::add(const std::string& queue, std::int64_t count) {
    const std::lock_guard lock(mutex_);
    counts_[queue] += count;
}

void JobQueue::Depths::replace(const std::vector<QueueStatus>& queues) {
    const std::lock_guard lock(mutex_);
    counts_.clear();
    for (const QueueStatus& queue : queues) counts_[queue.queue] = queue.queued;
}

std::int64_t JobQueue::Depths::of(const std::string& queue) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(queue);
    return found == counts_.end() ? 0 : found->second;
}

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
    if (depths_->of(job.queue) >= options_.depth_max) {
        return fail(Error(ErrorCode::kRateLimited, "too many jobs are waiting; try again later")
                        .with_retry_after(10));
    }
    HEDDLE_TRY(const auto now, tx.now_ms());
    static const std::string sql = fmt::format(
        "INSERT INTO jobs (id, queue, kind, owner, state, priority, payload, attempts_max, "
        "created_at, run_at, run_time_max_ms, idempotency_key, unique_key, turn) "
        "VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, "
        // Start-time fair queueing: the virtual time of the queue is the turn of its first.
        "(SELECT COALESCE(max(t), 0) FROM "
        "(SELECT max(turn) + 1 AS t FROM jobs WHERE state = 'queued' AND queue = ? AND owner = ? "
        "UNION ALL SELECT min(turn) FROM jobs WHERE state = 'queued' AND queue = ?) AS turns)) "
        "ON CONFLICT DO NOTHING RETURNING {}",
        kJobColumns);
    HEDDLE_TRY(
        auto stored,
        tx.first(sql, read_job, new_id(), job.queue, job.kind, job.owner, job.priority, job.payload,
                 job.attempts_max, now, now + job.delay.count(), job.run_time_max.count(),
                 job.idempotency_key, job.unique_key, job.queue, job.owner, job.queue));
    if (stored) {
        wake_workers(tx, stored->queue);
        tx.after_commit([depths = depths_, queue = job.queue] { depths->add(queue, 1); });
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
    if (!queue.empty()) wake_workers(tx, std::move(queue));
    tx.tell_others("job " + id);
    tx.after_commit([changes = changes_, id = std::move(id)] { changes->publish(id); });
}

void JobQueue::wake_workers(Transaction& tx, std::string queue) {
    tx.tell_others("queue " + queue);
    tx.after_commit([ready = ready_, queue = std::move(queue)] { ready->publish(queue); });
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
    tx.tell_others("cancel " + std::string(id));
    tx.after_commit([cancels = cancels_, changes = changes_, key = std::string(id)] {
        cancels->publish(key);
        changes->publish(key);
    });
    return find_job(tx, owner, id);
}

async::Task<Result<Job>> JobQueue::cancel(std::string owner, std::string id) {
    const auto fn = [&](Transaction& tx) { return cancel(tx, owner, id); };
    co_return co_await db_.write(fn);
}

async::Task<Result<Job>> JobQueue::redrive(std::string owner, std::string id) {
    const auto fn = [&](Transaction& tx) -> Result<Job> {
        HEDDLE_TRY(auto job, find_job(tx, owner, id));
        if (!is_final(job.state) || job.state == JobState::kSucceeded) {
            return fail(ErrorCode::kConflict, "only a failed, dead or cancelled job is sent again");
        }
        HEDDLE_TRY_VOID(send_again(tx, job));
        return find_job(tx, owner, id);
    };
    co_return co_await db_.write(fn);
}

Result<> JobQueue::send_again(Transaction& tx, const Job& job) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    const auto sent = tx.execute(
        "UPDATE jobs SET state = 'queued', attempts = 0, crashes = 0, "
        "cancel_requested = 0, error = NULL, progress = NULL, run_at = ?, "
        "finished_at = NULL, version = version + 1 WHERE id = ?",
        now, job.id);
    if (!sent && sent.error().reason() == "unique") {
        return fail(ErrorCode::kConflict, "another job with its unique_key waits or runs");
    }
    HEDDLE_TRY_VOID(sent);
    tx.after_commit([depths = depths_, queue = job.queue] { depths->add(queue, 1); });
    announce(tx, job.id, job.queue);
    return {};
}

async::Task<Result<std::vector<Job>>> JobQueue::dead_letters(std::string queue,
                                                             std::optional<std::string> before_id,
                                                             int limit) {
    static const std::string sql = fmt::format(
        "SELECT {} FROM jobs WHERE state = 'dead' AND queue = ? AND (? = '' OR id < ?) "
        "ORDER BY id DESC LIMIT ?",
        kJobColumns);
    const std::string before = before_id.value_or("");
    const int count = std::clamp(limit, 1, kPageMax);
    const auto fn = [&](Session& session) {
        return session.select(sql, read_job, queue, before, before, count);
    };
    co_return co_await db_.read(fn);
}

async::Task<Result<std::int64_t>> JobQueue::redrive_dead(std::string queue, int limit) {
    HEDDLE_CO_TRY(const auto dead, co_await dead_letters(queue, std::nullopt, limit));
    std::int64_t sent = 0;
    for (const Job& job : dead) {
        const Result<Job> again = co_await redrive(job.owner, job.id);
        if (again) ++sent;
        // Sent by somebody else meanwhile, or its unique_key is taken: it stays as it is.
        if (!again && again.error().code() != ErrorCode::kConflict &&
            again.error().code() != ErrorCode::kNotFound) {
            co_return fail(again.error());
        }
    }
    co_return sent;
}

async::Task<Result<>> JobQueue::set_paused(std::string queue, bool paused) {
    const auto fn = [&](Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(
            tx.execute("INSERT INTO job_queues (queue, paused) VALUES (?, ?) "
                       "ON CONFLICT (queue) DO UPDATE SET paused = excluded.paused",
                       queue, paused));
        wake_workers(tx, queue);
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
                .dead = row.integer(4),
                .oldest_wait_ms =
                    row.is_null(5) ? 0 : std::max<std::int64_t>(0, now - row.integer(5))};
        };
        return session.select(
            "SELECT n.queue, COALESCE(MAX(q.paused), 0), "
            "SUM(CASE WHEN n.state = 'queued' THEN 1 ELSE 0 END), "
            "SUM(CASE WHEN n.state = 'running' THEN 1 ELSE 0 END), "
            "SUM(CASE WHEN n.state = 'dead' THEN 1 ELSE 0 END), "
            "MIN(CASE WHEN n.state = 'queued' THEN n.run_at END) FROM "
            "(SELECT queue, state, run_at FROM jobs WHERE state = 'queued' UNION ALL "
            " SELECT queue, state, run_at FROM jobs WHERE state = 'running' UNION ALL "
            " SELECT queue, state, run_at FROM jobs WHERE state = 'dead' UNION ALL "
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

async::Task<Result<std::vector<Claim>>> JobQueue::claim(ClaimRequest request) {
    const auto fn = [&](Transaction& tx) -> Result<std::vector<Claim>> {
        HEDDLE_TRY(auto claims, claim_jobs(tx, request));
        for (const Claim& claim : claims) announce(tx, claim.job.id);
        const auto count = -std::ssize(claims);
        tx.after_commit([depths = depths_, queue = request.queue, count] {
            if (count != 0) depths->add(queue, count);
        });
        return claims;
    };
    co_return co_await db_.write(fn);
}

Result<std::size_t> JobQueue::reclaim(Transaction& tx, Reclaim::Which which) {
    HEDDLE_TRY(const auto touched, reclaim_jobs(tx, {.which = which,
                                                     .instance = options_.instance + "/",
                                                     .crashes_max = options_.crashes_max}));
    for (const Reclaimed& job : touched) announce(tx, job.id, job.queue);
    return touched.size();
}

// A bounded number at a time: a long history leaves in several sweeps.
Result<> JobQueue::remove_finished(Transaction& tx) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    const auto keep = std::chrono::milliseconds(options_.keep_finished).count();
    const std::string sql = fmt::format(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < ? "
        "ORDER BY finished_at LIMIT 1000{})",
        tx.dialect() == storage::Dialect::kPostgres ? " FOR UPDATE SKIP LOCKED" : "");
    HEDDLE_TRY_VOID(tx.execute(sql, now - keep));
    return {};
}

async::Task<Result<>> JobQueue::sweep() {
    const auto fn = [this](Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(reclaim(tx, Reclaim::Which::kExpired));
        return remove_finished(tx);
    };
    HEDDLE_CO_TRY_VOID(co_await db_.write(fn));
    HEDDLE_CO_TRY(const auto queues, co_await status());
    for (const QueueStatus& queue : queues) {
        const Metrics::Labels labels{{"queue", queue.queue}};
        const auto show = [&](const char* name, const char* help, double value) {
            metrics_.gauge(name, help, labels).set(value);
        };
        show("jobs_queued", "Jobs that wait", static_cast<double>(queue.queued));
        show("jobs_running", "Jobs that run", static_cast<double>(queue.running));
        show("jobs_dead", "Jobs out of attempts", static_cast<double>(queue.dead));
        show("jobs_paused", "1 while the queue starts nothing", queue.paused ? 1 : 0);
        show("jobs_oldest_wait_seconds", "Wait of the job that has waited longest",
             static_cast<double>(queue.oldest_wait_ms) / 1000);
    }
    depths_->replace(queues);
    co_return Result<>();
}

Result<std::size_t> JobQueue::recover_blocking() {
    const bool alone = db_.dialect() == storage::Dialect::kSqlite;
    if (!alone && options_.instance.empty()) return 0;
    const auto fn = [&](Transaction& tx) {
        return reclaim(tx, alone ? Reclaim::Which::kAll : Reclaim::Which::kOfInstance);
    };
    return db_.write_blocking(fn);
}

}  // namespace heddle::jobs
