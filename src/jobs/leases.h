// The worker's side of the queue, inside transactions: taking a job, keeping it, giving it up.
//
// Whoever takes a job gets a fresh attempt token, and every later write names it. A worker that
// was stopped past its lease finds that its token is no longer the job's: its writes change
// nothing. Lease (is the worker alive?) and run time (does the attempt take too long?) are apart.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "jobs/retry.h"
#include "storage/session.h"

namespace heddle::jobs {

struct Claim {
    Job job;
    std::string token;
};

struct ClaimRequest {
    std::string queue;
    std::string worker;
    std::chrono::milliseconds lease{30'000};
    // Jobs of one owner that run at once in this queue; 0 is no limit.
    int running_per_owner_max = 0;
    // Jobs taken at most.
    int count = 1;
};

// The next jobs that may run: highest priority first, then the owners in turn, each owner's in
// their order.
Result<std::vector<Claim>> claim_jobs(storage::Transaction& tx, const ClaimRequest& request);

enum class LeaseState {
    kHeld,
    kCancelRequested,  // held, but somebody wants it to stop
    kTimedOut,         // held, but the attempt has taken longer than it may
    kLost,             // the job is another's or at its end
};

// Makes the lease last `lease` from now; `progress` replaces the last one when given.
Result<LeaseState> renew_lease(storage::Transaction& tx, std::string_view id,
                               std::string_view token, std::chrono::milliseconds lease,
                               std::optional<std::string_view> progress);

// kConflict (reason "lease_lost") unless the attempt still holds the job: the fence for what a
// handler itself writes.
Result<> require_lease(storage::Transaction& tx, std::string_view id, std::string_view token);

// Each ends an attempt; false when it no longer holds the job, which is then left alone.
Result<bool> succeed_job(storage::Transaction& tx, const Claim& claim, std::string_view result);
Result<bool> cancel_running_job(storage::Transaction& tx, const Claim& claim);
// Back to the queue at once, as if it had not been taken.
Result<bool> hand_back_job(storage::Transaction& tx, const Claim& claim);
// Tried again after `delay`, or dead when no attempt is left; failed at once when not retryable.
Result<bool> fail_job(storage::Transaction& tx, const Claim& claim, std::string_view error,
                      bool retryable, std::chrono::milliseconds delay);

// Takes running jobs back: those whose lease has run out, those of the workers whose names start
// with `instance` (their process has ended), or all. One that crashed `crashes_max` times is dead.
struct Reclaim {
    enum class Which { kExpired, kOfInstance, kAll };
    Which which = Which::kExpired;
    std::string instance;
    int crashes_max = 3;
};
struct Reclaimed {
    std::string id;
    std::string queue;
};
Result<std::vector<Reclaimed>> reclaim_jobs(storage::Transaction& tx, const Reclaim& what);

}  // namespace heddle::jobs
