// A job as it is stored and shown. Payload, progress and result are JSON texts that the queue
// carries and does not read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/session.h"

namespace heddle::jobs {

enum class JobState {
    kQueued,     // waits for its time and a worker
    kRunning,    // a worker holds its lease
    kSucceeded,  // result() is there
    kFailed,     // the handler said that trying again is of no use
    kCancelled,  // somebody asked for it
    kDead,       // out of attempts, or its workers kept dying; may be sent again
};

[[nodiscard]] std::string_view to_string(JobState state);
[[nodiscard]] std::optional<JobState> parse_job_state(std::string_view text);
[[nodiscard]] constexpr bool is_final(JobState state) {
    return state != JobState::kQueued && state != JobState::kRunning;
}

struct NewJob {
    std::string queue;
    std::string kind;  // names the handler
    std::string owner;
    std::string payload = "{}";
    int priority = 0;  // higher first; first come, first served within one
    std::chrono::milliseconds delay{0};
    int attempts_max = 5;
    // Longest time of one attempt; past it the attempt has failed.
    std::chrono::milliseconds run_time_max{std::chrono::minutes(30)};
    // The same key of the same owner names the same job for as long as it is kept.
    std::optional<std::string> idempotency_key;
    // At most one job with this key is queued or running; a second one is the first.
    std::optional<std::string> unique_key;
};

// Times in milliseconds since 1970.
struct Job {
    std::string id;
    std::string queue;
    std::string kind;
    std::string owner;
    JobState state = JobState::kQueued;
    int priority = 0;
    std::string payload;
    std::string progress;  // empty until the first
    std::string result;    // empty until succeeded
    std::string error;     // of the last attempt
    int attempts = 0;      // attempts that have failed
    int attempts_max = 0;
    int crashes = 0;  // attempts whose worker died
    bool cancel_requested = false;
    std::int64_t version = 0;  // rises with every change
    std::int64_t created_at = 0;
    std::int64_t run_at = 0;
    std::int64_t run_time_max_ms = 0;
    std::optional<std::int64_t> started_at;
    std::optional<std::int64_t> finished_at;
};

// One try at a job, for its history.
struct Attempt {
    std::string worker;
    std::int64_t started_at = 0;
    std::optional<std::int64_t> ended_at;
    std::string outcome;  // running succeeded failed cancelled crashed timed_out handed_back
    std::string error;
};

// The columns that read_job reads, in its order.
inline constexpr std::string_view kJobColumns =
    "id, queue, kind, owner, state, priority, payload, progress, result, error, attempts, "
    "attempts_max, crashes, cancel_requested, version, created_at, run_at, run_time_max_ms, "
    "started_at, finished_at";
[[nodiscard]] Job read_job(const storage::Row& row);

}  // namespace heddle::jobs
