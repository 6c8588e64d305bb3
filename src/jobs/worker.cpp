#include "jobs/worker.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/system/system_error.hpp>

#include "async/deadline.h"
#include "base/check.h"
#include "base/ids.h"
#include "base/log.h"

namespace heddle::jobs {

using storage::Transaction;

// One attempt from its claim to its end. Lives in the frame of run_claim.
struct Worker::Run {
    explicit Run(Claim claim) : context(std::move(claim)) {}

    JobContext context;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    // Exactly one of these is there at the end.
    std::optional<Result<std::string>> outcome;
    std::optional<StopReason> stopped;
};

void JobContext::set_progress(std::string json) {
    const std::lock_guard lock(mutex_);
    progress_ = std::move(json);
}

std::optional<std::string> JobContext::take_progress() {
    const std::lock_guard lock(mutex_);
    return std::exchange(progress_, std::nullopt);
}

Worker::Worker(JobQueue& queue, async::Executor executor, WorkerOptions options)
    : queue_(queue),
      options_(std::move(options)),
      name_(queue.options().instance + "/" + std::to_string(::getpid()) + "-" + new_id()),
      lanes_(executor, "jobs"),
      upkeep_(executor, "jobs"),
      rng_(static_cast<std::uint64_t>(Clock::system().wall_ms())) {}

Worker::~Worker() = default;

void Worker::handle(std::string kind, JobHandler& handler, std::optional<RetryPolicy> retry) {
    handlers_.insert_or_assign(std::move(kind), Handling{&handler, retry.value_or(options_.retry)});
}

Worker::Handling Worker::handling_of(const std::string& kind) const {
    const auto found = handlers_.find(kind);
    return found == handlers_.end() ? Handling{nullptr, options_.retry} : found->second;
}

void Worker::start() {
    for (const Lanes& lanes : options_.lanes) {
        auto& queue = *queues_.emplace_back(std::make_unique<QueueLanes>());
        queue.count = lanes.count;
        queue.request = {.queue = lanes.queue,
                         .worker = name_,
                         .lease = options_.lease,
                         .running_per_owner_max = lanes.running_per_owner_max};
        lanes_.spawn(serve(&queue));
    }
    upkeep_.spawn(sweep_regularly());
}

async::Task<> Worker::stop(std::chrono::milliseconds patience) {
    draining_ = true;
    for (const auto& queue : queues_) {
        queue_.wake_queue(queue->request.queue);
        queue->freed.notify();
    }
    const auto deadline = async::Deadline::after(patience);
    while (!runs_.empty() && !deadline.passed()) {
        co_await async::sleep_for(std::chrono::milliseconds(5));
    }
    leaving_ = true;
    for (const Run* run : runs_) queue_.wake_run(run->context.job().id);
    co_await lanes_.join();
    upkeep_.cancel();
    co_await upkeep_.join();
}

// Takes what the free lanes can run, and waits when there is nothing or no lane.
async::Task<> Worker::serve(QueueLanes* lanes) {
    const auto news = queue_.listen_for_jobs(lanes->request.queue);
    while (!draining_) {
        ClaimRequest request = lanes->request;
        request.count = lanes->count - lanes->busy;
        if (request.count == 0) {
            co_await lanes->freed.wait();
            continue;
        }
        Result<std::vector<Claim>> claims = co_await queue_.claim(std::move(request));
        if (!claims) {
            log::warn("jobs", "no job could be taken", {{"error", claims.error().message()}});
            co_await async::sleep_for(options_.poll);
            continue;
        }
        for (Claim& claim : *claims) {
            ++lanes->busy;
            lanes_.spawn(run_in_lane(lanes, std::move(claim)));
        }
        if (claims->empty() && !draining_) co_await news->changed_within(options_.poll);
    }
}

async::Task<> Worker::run_in_lane(QueueLanes* lanes, Claim claim) {
    co_await run_claim(std::move(claim));
    --lanes->busy;
    lanes->freed.notify();
}

async::Task<> Worker::sweep_regularly() {
    for (;;) {
        const Result<> swept = co_await queue_.sweep();
        if (!swept) log::warn("jobs", "the sweep failed", {{"error", swept.error().message()}});
        co_await async::sleep_for(options_.sweep_every);
    }
}

async::Task<> Worker::run_claim(Claim claim) {
    using namespace boost::asio::experimental::awaitable_operators;
    Run run(std::move(claim));
    runs_.push_back(&run);
    // Whichever ends first cancels the other, and both have ended when this resumes.
    auto ended = co_await (run_handler(run) || keep_lease(run));
    if (ended.index() == 0) {
        run.outcome.emplace(std::get<0>(std::move(ended)));
    } else {
        run.stopped = std::get<1>(ended);
    }
    co_await finish(run);
    std::erase(runs_, &run);
}

// Exceptions end here, as errors: a race that one side leaves by exception goes on without it.
async::Task<Result<std::string>> Worker::run_handler(Run& run) {
    JobHandler* const handler = handling_of(run.context.job().kind).handler;
    if (handler == nullptr) {
        co_return fail(ErrorCode::kUnimplemented, "no worker knows this kind of job");
    }
    try {
        co_return co_await handler->run(run.context);
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted) {
            co_return fail(ErrorCode::kCancelled, "the job was stopped");
        }
        log::error("jobs", "a handler threw",
                   {{"job", run.context.job().id}, {"error", error.what()}});
    } catch (const std::exception& error) {
        log::error("jobs", "a handler threw",
                   {{"job", run.context.job().id}, {"error", error.what()}});
    }
    co_return fail(ErrorCode::kInternal, "the job failed for a reason of the server's");
}

// Renews the lease and stores progress until the attempt is to stop.
async::Task<Worker::StopReason> Worker::keep_lease(Run& run) {
    using std::chrono::steady_clock;
    const Claim& claim = run.context.claim();
    const auto cancel = queue_.listen_for_cancel(claim.job.id);
    const auto time_max = std::chrono::milliseconds(claim.job.run_time_max_ms);
    auto renewed = run.start;
    const auto stop = [&run](StopReason reason) {
        run.context.stop_.request_stop();
        return reason;
    };
    for (;;) {
        const bool woken = co_await cancel->changed_within(
            std::min({options_.progress_every, options_.lease / 3, time_max}));
        if (leaving_) co_return stop(StopReason::kLeaving);
        const auto now = steady_clock::now();
        if (now - run.start > time_max) co_return stop(StopReason::kTimedOut);
        const auto progress = run.context.take_progress();
        if (!woken && !progress && now - renewed < options_.lease / 3) continue;
        const auto renew = [&](Transaction& tx) {
            if (progress) queue_.announce(tx, claim.job.id);
            return renew_lease(tx, claim.job.id, claim.token, options_.lease, progress);
        };
        const Result<LeaseState> state = co_await queue_.database().write(renew);
        if (!state) {
            if (now - renewed > options_.lease) co_return stop(StopReason::kLost);
            continue;
        }
        if (*state == LeaseState::kLost) co_return stop(StopReason::kLost);
        if (*state == LeaseState::kCancelRequested) co_return stop(StopReason::kCancelled);
        if (*state == LeaseState::kTimedOut) co_return stop(StopReason::kTimedOut);
        renewed = now;
    }
}

// When the outcome cannot be stored the lease runs out and the job is tried again.
async::Task<> Worker::finish(Run& run) {
    count(run);
    const auto progress = run.context.take_progress();
    const Job& job = run.context.job();
    const auto delay = retry_delay(handling_of(job.kind).retry, job.attempts + 1, rng_);
    const auto store = [&](Transaction& tx) { return store_outcome(tx, run, progress, delay); };
    for (int tries = 0; tries < 3; ++tries) {
        const Result<bool> stored = co_await queue_.database().write(store);
        if (stored) co_return;
        log::error("jobs", "an outcome could not be stored",
                   {{"job", job.id}, {"error", stored.error().message()}});
        co_await async::sleep_for(options_.poll);
    }
}

Result<bool> Worker::store_outcome(Transaction& tx, const Run& run,
                                   const std::optional<std::string>& progress,
                                   std::chrono::milliseconds retry_after) {
    const Claim& claim = run.context.claim();
    queue_.announce(tx, claim.job.id, claim.job.queue);
    if (progress) {
        HEDDLE_TRY_VOID(renew_lease(tx, claim.job.id, claim.token, options_.lease, progress));
    }
    if (run.stopped == StopReason::kLost) return false;
    if (run.stopped == StopReason::kCancelled) return cancel_running_job(tx, claim);
    if (run.stopped == StopReason::kLeaving) return hand_back_job(tx, claim);
    if (run.stopped == StopReason::kTimedOut) {
        return fail_job(tx, claim, "the job took longer than it may", true, retry_after);
    }
    if (run.outcome->has_value()) return succeed_job(tx, claim, **run.outcome);
    const Error& error = run.outcome->error();
    return fail_job(tx, claim, error.message(), is_retryable(error), retry_after);
}

void Worker::count(const Run& run) {
    const Job& job = run.context.job();
    const std::string_view outcome = run.stopped                ? "stopped"
                                     : run.outcome->has_value() ? "succeeded"
                                                                : "failed";
    Metrics& metrics = queue_.metrics();
    const Metrics::Labels queue{{"queue", job.queue}};
    metrics
        .counter("jobs_attempts_total", "Attempts by their end",
                 {{"queue", job.queue}, {"outcome", std::string(outcome)}})
        .add();
    const std::vector<double> bounds{.05, .1, .5, 1, 5, 10, 30, 60, 300, 1800};
    metrics.histogram("jobs_wait_seconds", "From due to started", bounds, queue)
        .observe(static_cast<double>(job.started_at.value_or(job.run_at) - job.run_at) / 1000);
    const auto ran = std::chrono::steady_clock::now() - run.start;
    metrics.histogram("jobs_run_seconds", "Length of an attempt", bounds, queue)
        .observe(std::chrono::duration<double>(ran).count());
}

}  // namespace heddle::jobs
