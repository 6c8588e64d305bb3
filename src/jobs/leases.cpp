#include "jobs/leases.h"

#include <fmt/format.h>

#include "base/ids.h"

namespace heddle::jobs {
namespace {

using storage::Transaction;

constexpr std::string_view kHolds = " WHERE id = ? AND attempt_token = ? AND state = 'running'";

Result<> end_attempt(Transaction& tx, std::string_view token, std::string_view job,
                     std::string_view outcome, std::string_view error, std::int64_t now) {
    HEDDLE_TRY_VOID(
        tx.execute("UPDATE job_attempts SET ended_at = ?, outcome = ?, error = ? "
                   "WHERE job_id = ? AND token = ?",
                   now, outcome, error, job, token));
    return {};
}

// Ends the attempt and the job.
Result<bool> finish(Transaction& tx, const Claim& claim, JobState state, std::string_view result,
                    std::string_view error) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    const std::string sql = fmt::format(
        "UPDATE jobs SET state = ?, result = ?, error = ?, finished_at = ?, "
        "attempts = attempts + ?, version = version + 1, worker = NULL, attempt_token = NULL, "
        "lease_until = NULL, run_until = NULL{}",
        kHolds);
    const int failures = state == JobState::kFailed || state == JobState::kDead ? 1 : 0;
    HEDDLE_TRY(const auto changed, tx.execute(sql, to_string(state), result, error, now, failures,
                                              claim.job.id, claim.token));
    if (changed == 0) return false;
    const std::string_view outcome = failures > 0 ? "failed" : to_string(state);
    HEDDLE_TRY_VOID(end_attempt(tx, claim.token, claim.job.id, outcome, error, now));
    return true;
}

// Ends the attempt and puts the job back into the queue.
Result<bool> requeue(Transaction& tx, const Claim& claim, int failures, std::string_view outcome,
                     std::string_view error, std::chrono::milliseconds delay) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    const std::string sql = fmt::format(
        "UPDATE jobs SET state = 'queued', error = ?, run_at = ?, attempts = attempts + ?, "
        "version = version + 1, worker = NULL, attempt_token = NULL, lease_until = NULL, "
        "run_until = NULL{}",
        kHolds);
    HEDDLE_TRY(const auto changed,
               tx.execute(sql, error, now + delay.count(), failures, claim.job.id, claim.token));
    if (changed == 0) return false;
    HEDDLE_TRY_VOID(end_attempt(tx, claim.token, claim.job.id, outcome, error, now));
    return true;
}

// The id of the next job that may run.
Result<std::optional<std::string>> next_id(Transaction& tx, const ClaimRequest& request,
                                           std::int64_t now) {
    const bool postgres = tx.dialect() == storage::Dialect::kPostgres;
    if (postgres && request.running_per_owner_max > 0) {
        // Two workers would both count before either has taken.
        HEDDLE_TRY_VOID(
            tx.number("SELECT 1 FROM pg_advisory_xact_lock(hashtext(?))", request.queue));
    }
    const std::string sql = fmt::format(
        "SELECT id FROM jobs AS j WHERE state = 'queued' AND queue = ? AND run_at <= ? "
        "AND NOT EXISTS (SELECT 1 FROM job_queues q WHERE q.queue = j.queue AND q.paused = 1){} "
        "ORDER BY priority DESC, id LIMIT 1{}",
        request.running_per_owner_max > 0
            ? fmt::format(" AND (SELECT count(*) FROM jobs r WHERE r.state = 'running' "
                          "AND r.queue = j.queue AND r.owner = j.owner) < {}",
                          request.running_per_owner_max)
            : "",
        postgres ? " FOR UPDATE SKIP LOCKED" : "");
    const auto read = [](const storage::Row& row) { return row.string(0); };
    return tx.first(sql, read, request.queue, now);
}

}  // namespace

Result<std::optional<Claim>> claim_job(Transaction& tx, const ClaimRequest& request) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    HEDDLE_TRY(const auto id, next_id(tx, request, now));
    if (!id) return std::nullopt;
    const std::string token = new_id();
    const std::string sql = fmt::format(
        "UPDATE jobs SET state = 'running', worker = ?, attempt_token = ?, lease_until = ?, "
        "run_until = CAST(? AS BIGINT) + run_time_max_ms, started_at = ?, "
        "version = version + 1 WHERE id = ? AND state = 'queued' RETURNING {}",
        kJobColumns);
    HEDDLE_TRY(auto job, tx.first(sql, read_job, request.worker, token, now + request.lease.count(),
                                  now, now, *id));
    if (!job) return std::nullopt;
    HEDDLE_TRY_VOID(
        tx.execute("INSERT INTO job_attempts (job_id, token, worker, started_at, outcome) "
                   "VALUES (?, ?, ?, ?, 'running')",
                   *id, token, request.worker, now));
    return Claim{.job = std::move(*job), .token = token};
}

Result<LeaseState> renew_lease(Transaction& tx, std::string_view id, std::string_view token,
                               std::chrono::milliseconds lease,
                               std::optional<std::string_view> progress) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    // The version is what watchers look at: a mere sign of life is not news.
    const std::string sql = fmt::format(
        "UPDATE jobs SET lease_until = ?, progress = COALESCE(?, progress), "
        "version = version + ?{} RETURNING cancel_requested, run_until",
        kHolds);
    const auto read = [now](const storage::Row& row) {
        if (row.boolean(0)) return LeaseState::kCancelRequested;
        return row.integer(1) < now ? LeaseState::kTimedOut : LeaseState::kHeld;
    };
    HEDDLE_TRY(const auto state,
               tx.first(sql, read, now + lease.count(), progress, progress ? 1 : 0, id, token));
    return state.value_or(LeaseState::kLost);
}

Result<> require_lease(Transaction& tx, std::string_view id, std::string_view token) {
    const bool postgres = tx.dialect() == storage::Dialect::kPostgres;
    const std::string sql =
        fmt::format("SELECT 1 FROM jobs{}{}", kHolds, postgres ? " FOR UPDATE" : "");
    HEDDLE_TRY(const auto held, tx.number(sql, id, token));
    if (held == 1) return {};
    return fail(Error(ErrorCode::kConflict, "the job was taken over by another worker")
                    .with_reason("lease_lost"));
}

Result<bool> succeed_job(Transaction& tx, const Claim& claim, std::string_view result) {
    return finish(tx, claim, JobState::kSucceeded, result, "");
}

Result<bool> cancel_running_job(Transaction& tx, const Claim& claim) {
    return finish(tx, claim, JobState::kCancelled, "", "cancelled");
}

Result<bool> hand_back_job(Transaction& tx, const Claim& claim) {
    return requeue(tx, claim, 0, "handed_back", "", std::chrono::milliseconds(0));
}

Result<bool> fail_job(Transaction& tx, const Claim& claim, std::string_view error, bool retryable,
                      std::chrono::milliseconds delay) {
    if (!retryable) return finish(tx, claim, JobState::kFailed, "", error);
    if (claim.job.attempts + 1 >= claim.job.attempts_max) {
        return finish(tx, claim, JobState::kDead, "", error);
    }
    return requeue(tx, claim, 1, "failed", error, delay);
}

Result<std::vector<std::string>> reclaim_jobs(Transaction& tx, Reclaim which, int crashes_max) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    const std::int64_t before = which == Reclaim::kAll ? INT64_MAX : now;
    const std::string_view poison = "its worker died too often";
    const auto read_pair = [](const storage::Row& row) {
        return std::pair(row.string(0), row.string(1));
    };
    HEDDLE_TRY(const auto orphans, tx.select("SELECT id, attempt_token FROM jobs "
                                             "WHERE state = 'running' AND lease_until < ?",
                                             read_pair, before));
    std::vector<std::string> touched;
    for (const auto& [id, token] : orphans) {
        const std::string sql = fmt::format(
            "UPDATE jobs SET crashes = crashes + 1, version = version + 1, "
            "state = CASE WHEN cancel_requested = 1 THEN 'cancelled' "
            "WHEN crashes + 1 >= ? THEN 'dead' ELSE 'queued' END, "
            "finished_at = CASE WHEN cancel_requested = 1 OR crashes + 1 >= ? "
            "THEN CAST(? AS BIGINT) ELSE NULL END, "
            "error = CASE WHEN crashes + 1 >= ? THEN ? ELSE error END, run_at = ?, "
            "worker = NULL, attempt_token = NULL, lease_until = NULL, run_until = NULL{}",
            kHolds);
        HEDDLE_TRY(const auto changed, tx.execute(sql, crashes_max, crashes_max, now, crashes_max,
                                                  poison, now, id, token));
        if (changed == 0) continue;
        HEDDLE_TRY_VOID(end_attempt(tx, token, id, "crashed", "its worker died", now));
        touched.push_back(id);
    }
    return touched;
}

}  // namespace heddle::jobs
