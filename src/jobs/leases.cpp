#include "jobs/leases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/random.h"

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

// The ids of the next jobs that may run.
Result<std::vector<std::string>> next_ids(Transaction& tx, const ClaimRequest& request, int count,
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
        "ORDER BY priority DESC, turn, id LIMIT ?{}",
        request.running_per_owner_max > 0
            ? fmt::format(" AND owner NOT IN (SELECT r.owner FROM jobs r WHERE "
                          "r.state = 'running' AND r.queue = j.queue GROUP BY r.owner "
                          "HAVING count(*) >= {})",
                          request.running_per_owner_max)
            : "",
        postgres ? " FOR UPDATE SKIP LOCKED" : "");
    const auto read = [](const storage::Row& row) { return row.string(0); };
    return tx.select(sql, read, request.queue, now, count);
}

// Makes these jobs the worker's, in their order. One token serves them all: a fence compares the
// job and the token.
Result<std::vector<Claim>> take(Transaction& tx, const ClaimRequest& request,
                                const std::vector<std::string>& ids, const std::string& token,
                                std::int64_t now) {
    const bool postgres = tx.dialect() == storage::Dialect::kPostgres;
    const std::string_view among =
        postgres ? "id = ANY (string_to_array(?, ','))" : "id IN (SELECT value FROM json_each(?))";
    const std::string set = postgres ? fmt::format("{}", fmt::join(ids, ","))
                                     : fmt::format("[\"{}\"]", fmt::join(ids, "\",\""));
    const std::string update = fmt::format(
        "UPDATE jobs SET state = 'running', worker = ?, attempt_token = ?, lease_until = ?, "
        "run_until = CAST(? AS BIGINT) + run_time_max_ms, started_at = ?, "
        "version = version + 1 WHERE {} AND state = 'queued' RETURNING {}",
        among, kJobColumns);
    HEDDLE_TRY(auto jobs, tx.select(update, read_job, request.worker, token,
                                    now + request.lease.count(), now, now, set));
    const std::string insert = fmt::format(
        "INSERT INTO job_attempts (job_id, token, worker, started_at, outcome) "
        "SELECT id, attempt_token, worker, started_at, 'running' FROM jobs "
        "WHERE {} AND attempt_token = ?",
        among);
    HEDDLE_TRY_VOID(tx.execute(insert, set, token));
    std::vector<Claim> claims;
    for (const std::string& id : ids) {
        const auto job = std::ranges::find(jobs, id, &Job::id);
        if (job != jobs.end()) claims.push_back({.job = std::move(*job), .token = token});
    }
    return claims;
}

// 128 random bits: the token opens the job's files to a worker on another machine.
std::string new_token() {
    std::array<std::byte, 16> bytes{};
    secure_random(bytes);
    std::string token;
    for (const std::byte byte : bytes) token += fmt::format("{:02x}", std::to_integer<int>(byte));
    return token;
}

}  // namespace

Result<std::vector<Claim>> claim_jobs(Transaction& tx, const ClaimRequest& request) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    std::vector<Claim> claims;
    // With a limit for each owner every job taken may change who is next.
    const int at_once = request.running_per_owner_max > 0 ? 1 : request.count;
    while (std::ssize(claims) < request.count) {
        HEDDLE_TRY(const auto ids, next_ids(tx, request, at_once, now));
        if (ids.empty()) break;
        HEDDLE_TRY(auto taken, take(tx, request, ids, new_token(), now));
        std::ranges::move(taken, std::back_inserter(claims));
        if (at_once > 1 || taken.empty()) break;
    }
    return claims;
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

Result<std::vector<Reclaimed>> reclaim_jobs(Transaction& tx, const Reclaim& what) {
    HEDDLE_TRY(const auto now, tx.now_ms());
    struct Orphan {
        Reclaimed job;
        std::string token;
    };
    const auto read = [](const storage::Row& row) {
        return Orphan{{row.string(0), row.string(1)}, row.string(2)};
    };
    // Several processes sweep; each job is one's business.
    const bool postgres = tx.dialect() == storage::Dialect::kPostgres;
    const std::string select = fmt::format(
        "SELECT id, queue, attempt_token FROM jobs WHERE state = 'running' AND lease_until < ? "
        "AND substr(worker, 1, CAST(? AS INTEGER)) = ? ORDER BY id{}",
        postgres ? " FOR UPDATE SKIP LOCKED" : "");
    const bool expired = what.which == Reclaim::Which::kExpired;
    const std::string prefix =
        what.which == Reclaim::Which::kOfInstance ? what.instance : std::string();
    HEDDLE_TRY(const auto orphans,
               tx.select(select, read, expired ? now : INT64_MAX, prefix.size(), prefix));
    const std::string update = fmt::format(
        "UPDATE jobs SET crashes = crashes + 1, version = version + 1, "
        "state = CASE WHEN cancel_requested = 1 THEN 'cancelled' "
        "WHEN crashes + 1 >= ? THEN 'dead' ELSE 'queued' END, "
        "finished_at = CASE WHEN cancel_requested = 1 OR crashes + 1 >= ? "
        "THEN CAST(? AS BIGINT) ELSE NULL END, "
        "error = CASE WHEN crashes + 1 >= ? THEN 'its worker died too often' ELSE error END, "
        "run_at = ?, worker = NULL, attempt_token = NULL, lease_until = NULL, run_until = NULL{}",
        kHolds);
    std::vector<Reclaimed> touched;
    for (const auto& [job, token] : orphans) {
        const int most = what.crashes_max;
        HEDDLE_TRY(const auto changed,
                   tx.execute(update, most, most, now, most, now, job.id, token));
        if (changed == 0) continue;
        HEDDLE_TRY_VOID(end_attempt(tx, token, job.id, "crashed", "its worker died", now));
        touched.push_back(job);
    }
    return touched;
}

}  // namespace heddle::jobs
