// What the queue promises, one promise a test, on a clock that the test moves.
#include "jobs/job_queue.h"

#include <chrono>
#include <map>
#include <set>
#include <vector>

#include "jobs/queue_testing.h"
#include "jobs/retry.h"

namespace heddle::jobs {
namespace {

using namespace std::chrono_literals;
using storage::Transaction;

INSTANTIATE_TEST_SUITE_P(Stores, QueueTest, testing::Values("sqlite", "postgres"));

// Of a store that several processes share; a data folder with SQLite has one.
class SharedQueueTest : public QueueTest {};
INSTANTIATE_TEST_SUITE_P(Stores, SharedQueueTest, testing::Values("postgres"));

TEST_P(QueueTest, AJobCommitsWithItsCallersRowsOrNotAtAll) {
    const auto undone = [&](Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(queue_->enqueue(tx, job()));
        return fail(ErrorCode::kInvalidArgument, "the row that belongs to it is refused");
    };
    EXPECT_FALSE(in_transaction(undone));
    EXPECT_FALSE(take());
    const auto done = [&](Transaction& tx) { return queue_->enqueue(tx, job()); };
    EXPECT_TRUE(in_transaction(done));
    EXPECT_TRUE(take());
}

TEST_P(QueueTest, SurvivesAReopen) {
    const std::string id = add(job("anna", R"({"page": 1})")).value().job.id;
    open();
    const Job kept = get(id);
    EXPECT_EQ(kept.state, JobState::kQueued);
    EXPECT_EQ(kept.payload, R"({"page": 1})");
}

TEST_P(QueueTest, AnIdempotencyKeyNamesOneJob) {
    NewJob first = job("anna", "{\"a\":1}");
    first.idempotency_key = "key";
    const auto one = add(first).value();
    const auto again = add(first).value();
    EXPECT_TRUE(one.created);
    EXPECT_FALSE(again.created);
    EXPECT_EQ(one.job.id, again.job.id);
    NewJob other = first;
    other.payload = "{\"a\":2}";
    const auto refused = add(other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
    EXPECT_EQ(refused.error().reason(), "idempotency_key_reused");
    NewJob anothers = other;
    anothers.owner = "bert";
    EXPECT_TRUE(add(anothers).value().created) << "keys belong to their owner";
}

TEST_P(QueueTest, AUniqueJobRunsOnceAtATime) {
    NewJob unique = job();
    unique.unique_key = "reindex";
    const auto one = add(unique).value();
    EXPECT_EQ(add(unique).value().job.id, one.job.id);
    const auto claim = take();
    EXPECT_EQ(add(unique).value().job.id, one.job.id) << "also while it runs";
    const auto done = [&](Transaction& tx) { return succeed_job(tx, *claim, "{}"); };
    ASSERT_TRUE(in_transaction(done).value());
    EXPECT_TRUE(add(unique).value().created) << "and anew when it is done";
}

TEST_P(QueueTest, HighestPriorityFirstThenInOrder) {
    std::vector<std::string> ids;
    for (const int priority : {0, 5, 0, 5, -1}) {
        NewJob next = job();
        next.priority = priority;
        ids.push_back(add(next).value().job.id);
    }
    std::vector<std::string> taken;
    while (const auto claim = take()) taken.push_back(claim->job.id);
    EXPECT_EQ(taken, (std::vector{ids[1], ids[3], ids[0], ids[2], ids[4]}));
}

TEST_P(QueueTest, ADelayedJobWaitsForItsTime) {
    NewJob later = job();
    later.delay = 10s;
    ASSERT_TRUE(add(later));
    EXPECT_FALSE(take());
    clock_.advance(9999ms);
    EXPECT_FALSE(take());
    clock_.advance(1ms);
    EXPECT_TRUE(take());
}

TEST_P(QueueTest, OneOwnerCannotTakeAllLanes) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(add(job("anna")));
    ASSERT_TRUE(add(job("bert")));
    std::map<std::string, int> taken;
    for (int i = 0; i < 3; ++i) ++taken[take("w", 2)->job.owner];
    EXPECT_EQ(taken, (std::map<std::string, int>{{"anna", 2}, {"bert", 1}}));
    EXPECT_FALSE(take("w", 2));
    EXPECT_TRUE(take("w", 3));
}

TEST_P(QueueTest, OwnersShareAQueueInTurn) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(add(job("anna")));
    ASSERT_TRUE(take());
    ASSERT_TRUE(take());
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(add(job("bert")));
    std::string order;
    while (const auto claim = take()) order += claim->job.owner.front();
    EXPECT_EQ(order.substr(0, 5), "ababa") << "not behind all that anna has waiting";
    EXPECT_EQ(order.size(), 20u);
}

TEST_P(QueueTest, TakesSeveralInTheirOrder) {
    std::vector<std::string> ids;
    for (const int priority : {0, 5, 0, 5}) {
        NewJob next = job();
        next.priority = priority;
        ids.push_back(add(next).value().job.id);
    }
    ClaimRequest request;
    request.queue = "ingest";
    request.worker = "w";
    request.count = 3;
    const auto claims = runtime_.run(queue_->claim(request)).value();
    ASSERT_EQ(claims.size(), 3u);
    EXPECT_EQ(claims[0].job.id, ids[1]);
    EXPECT_EQ(claims[1].job.id, ids[3]);
    EXPECT_EQ(claims[2].job.id, ids[0]);
    EXPECT_EQ(claims[0].token.size(), 32u);
    for (const Claim& claim : claims) {
        const auto done = [&](Transaction& tx) { return succeed_job(tx, claim, "{}"); };
        EXPECT_TRUE(in_transaction(done).value());
        EXPECT_EQ(runtime_.run(queue_->attempts("anna", claim.job.id)).value().size(), 1u);
    }
}

TEST_P(QueueTest, ALimitForEachOwnerHoldsWithinOneTake) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(add(job("anna")));
    ASSERT_TRUE(add(job("bert")));
    ClaimRequest request;
    request.queue = "ingest";
    request.worker = "w";
    request.count = 10;
    request.running_per_owner_max = 2;
    const std::vector<Claim> claims = runtime_.run(queue_->claim(request)).value();
    std::map<std::string, int> taken;
    for (const Claim& claim : claims) ++taken[claim.job.owner];
    EXPECT_EQ(taken, (std::map<std::string, int>{{"anna", 2}, {"bert", 1}}));
}

TEST_P(QueueTest, TheDeadAreListedAndSentAgainTogether) {
    std::vector<std::string> ids;
    for (const char* owner : {"anna", "bert", "anna"}) {
        NewJob fragile = job(owner);
        fragile.attempts_max = 1;
        ids.push_back(add(fragile).value().job.id);
    }
    while (const auto claim = take()) {
        const auto fails = [&](Transaction& tx) { return fail_job(tx, *claim, "bad", true, 0s); };
        ASSERT_TRUE(in_transaction(fails).value());
    }
    EXPECT_EQ(runtime_.run(queue_->status()).value().at(0).dead, 3);
    const auto page = runtime_.run(queue_->dead_letters("ingest", std::nullopt, 2)).value();
    ASSERT_EQ(page.size(), 2u);
    EXPECT_EQ(page[0].id, ids[2]);
    EXPECT_EQ(page[1].owner, "bert");
    EXPECT_EQ(runtime_.run(queue_->dead_letters("ingest", page[1].id, 2)).value().size(), 1u);
    EXPECT_TRUE(runtime_.run(queue_->dead_letters("images", std::nullopt, 2)).value().empty());
    EXPECT_EQ(runtime_.run(queue_->redrive_dead("ingest", 100)).value(), 3);
    EXPECT_EQ(runtime_.run(queue_->status()).value().at(0).dead, 0);
    EXPECT_TRUE(take());
}

TEST_P(QueueTest, AUniqueJobIsNotSentAgainBesideItsLikes) {
    NewJob unique = job();
    unique.unique_key = "reindex";
    const std::string first = add(unique).value().job.id;
    ASSERT_TRUE(runtime_.run(queue_->cancel("anna", first)));
    ASSERT_TRUE(add(unique).value().created);
    EXPECT_EQ(runtime_.run(queue_->redrive("anna", first)).error().code(), ErrorCode::kConflict);
}

// Where several processes share a store, the start of one takes back what its own predecessor
// held and leaves the others' jobs alone.
TEST_P(SharedQueueTest, ProcessesOfOneStoreWakeEachOther) {
    auto other_db = storage::Database::open({.location = location_}, clock_).value();
    JobQueue other(*other_db);
    const auto connected = [](JobQueue* queue) -> async::Task<bool> {
        // The connection's first word is that something may have been missed.
        co_return co_await queue->listen_for_jobs("ingest")->changed_within(10s);
    };
    ASSERT_TRUE(runtime_.run(connected(&other)));
    const auto wait_jobs = [](JobQueue* from, JobQueue* to, NewJob what) -> async::Task<bool> {
        const auto jobs = to->listen_for_jobs("ingest");
        const auto added = co_await from->enqueue(std::move(what));
        const auto cancel = to->listen_for_cancel(added.value().job.id);
        const bool heard = co_await jobs->changed_within(10s);
        (co_await from->cancel("anna", added.value().job.id)).value();
        co_return heard&& co_await cancel->changed_within(10s);
    };
    EXPECT_TRUE(runtime_.run(wait_jobs(queue_.get(), &other, job())));
}

TEST_P(SharedQueueTest, AStartTakesBackItsPredecessorsJobs) {
    open({.instance = "here"});
    ASSERT_TRUE(add(job()));
    ASSERT_TRUE(add(job()));
    const std::string ours = take("here/1")->job.id;
    const std::string theirs = take("there/1")->job.id;
    EXPECT_EQ(queue_->recover_blocking().value(), 1u);
    EXPECT_EQ(get(ours).state, JobState::kQueued);
    EXPECT_EQ(get(theirs).state, JobState::kRunning);
}

TEST_P(QueueTest, APausedQueueAcceptsAndStartsNothing) {
    ASSERT_TRUE(runtime_.run(queue_->set_paused("ingest", true)));
    ASSERT_TRUE(add(job()));
    EXPECT_FALSE(take());
    const auto status = runtime_.run(queue_->status()).value();
    ASSERT_EQ(status.size(), 1u);
    EXPECT_TRUE(status[0].paused);
    EXPECT_EQ(status[0].queued, 1);
    ASSERT_TRUE(runtime_.run(queue_->set_paused("ingest", false)));
    EXPECT_TRUE(take());
}

TEST_P(QueueTest, AnAttemptThatLostItsLeaseCannotWrite) {
    const std::string id = add(job()).value().job.id;
    const Claim stopped = *take("stopped");
    clock_.advance(31s);
    ASSERT_TRUE(runtime_.run(queue_->sweep()));
    const Claim next = *take("next");
    ASSERT_EQ(next.job.id, id);
    const auto late = [&](Transaction& tx) -> Result<> {
        EXPECT_EQ(renew_lease(tx, id, stopped.token, 30s, "{}").value(), LeaseState::kLost);
        EXPECT_FALSE(succeed_job(tx, stopped, "\"stale\"").value());
        EXPECT_FALSE(fail_job(tx, stopped, "stale", true, 0s).value());
        EXPECT_FALSE(cancel_running_job(tx, stopped).value());
        EXPECT_FALSE(hand_back_job(tx, stopped).value());
        EXPECT_EQ(require_lease(tx, id, stopped.token).error().reason(), "lease_lost");
        EXPECT_TRUE(require_lease(tx, id, next.token));
        EXPECT_TRUE(succeed_job(tx, next, "\"fresh\"").value());
        return {};
    };
    ASSERT_TRUE(in_transaction(late));
    EXPECT_EQ(get(id).result, "\"fresh\"");
    const auto attempts = runtime_.run(queue_->attempts("anna", id)).value();
    ASSERT_EQ(attempts.size(), 2u);
    EXPECT_EQ(attempts[0].outcome, "crashed");
    EXPECT_EQ(attempts[1].outcome, "succeeded");
}

TEST_P(QueueTest, ALeaseThatIsRenewedIsNotTaken) {
    ASSERT_TRUE(add(job()));
    const Claim claim = *take();
    for (int i = 0; i < 10; ++i) {
        clock_.advance(20s);
        const auto renew = [&](Transaction& tx) {
            return renew_lease(tx, claim.job.id, claim.token, 30s, std::nullopt);
        };
        EXPECT_EQ(in_transaction(renew).value(), LeaseState::kHeld);
        ASSERT_TRUE(runtime_.run(queue_->sweep()));
        EXPECT_FALSE(take());
    }
}

TEST_P(QueueTest, AnAttemptThatTakesTooLongIsToldSo) {
    NewJob slow = job();
    slow.run_time_max = 60s;
    ASSERT_TRUE(add(slow));
    const Claim claim = *take();
    clock_.advance(61s);
    const auto renew = [&](Transaction& tx) {
        return renew_lease(tx, claim.job.id, claim.token, 30s, std::nullopt);
    };
    EXPECT_EQ(in_transaction(renew).value(), LeaseState::kTimedOut);
}

TEST_P(QueueTest, OutOfAttemptsIsDeadAndMayBeSentAgain) {
    NewJob fragile = job();
    fragile.attempts_max = 2;
    const std::string id = add(fragile).value().job.id;
    for (int attempt = 1; attempt <= 2; ++attempt) {
        const auto claim = take();
        ASSERT_TRUE(claim) << attempt;
        const auto fails = [&](Transaction& tx) {
            return fail_job(tx, *claim, "no luck", true, 5s);
        };
        ASSERT_TRUE(in_transaction(fails).value());
        EXPECT_FALSE(take()) << "not before its delay";
        clock_.advance(5s);
    }
    Job dead = get(id);
    EXPECT_EQ(dead.state, JobState::kDead);
    EXPECT_EQ(dead.attempts, 2);
    EXPECT_EQ(dead.error, "no luck");
    ASSERT_TRUE(runtime_.run(queue_->redrive("anna", id)));
    EXPECT_TRUE(take());
    EXPECT_EQ(runtime_.run(queue_->redrive("anna", id)).error().code(), ErrorCode::kConflict);
}

TEST_P(QueueTest, WhatIsOfNoUseIsNotTriedAgain) {
    const std::string id = add(job()).value().job.id;
    const auto claim = take();
    const auto fails = [&](Transaction& tx) {
        return fail_job(tx, *claim, "not a PDF", false, 0s);
    };
    ASSERT_TRUE(in_transaction(fails).value());
    EXPECT_EQ(get(id).state, JobState::kFailed);
    EXPECT_FALSE(take());
}

TEST_P(QueueTest, CrashesCountApartAndPoisonDies) {
    NewJob poison = job();
    poison.attempts_max = 1;
    const std::string id = add(poison).value().job.id;
    for (int crash = 1; crash <= 3; ++crash) {
        EXPECT_EQ(get(id).state, JobState::kQueued);
        ASSERT_TRUE(take());
        clock_.advance(31s);
        ASSERT_TRUE(runtime_.run(queue_->sweep()));
        EXPECT_EQ(get(id).attempts, 0);
        EXPECT_EQ(get(id).crashes, crash);
    }
    EXPECT_EQ(get(id).state, JobState::kDead);
    EXPECT_FALSE(take());
}

TEST_P(QueueTest, CancelsWhatWaitsAndAsksWhatRuns) {
    const std::string waiting = add(job()).value().job.id;
    EXPECT_EQ(runtime_.run(queue_->cancel("anna", waiting)).value().state, JobState::kCancelled);
    EXPECT_FALSE(take());
    const std::string running = add(job()).value().job.id;
    const Claim claim = *take();
    EXPECT_EQ(runtime_.run(queue_->cancel("anna", running)).value().state, JobState::kRunning);
    const auto renew = [&](Transaction& tx) {
        return renew_lease(tx, claim.job.id, claim.token, 30s, std::nullopt);
    };
    EXPECT_EQ(in_transaction(renew).value(), LeaseState::kCancelRequested);
    clock_.advance(31s);
    ASSERT_TRUE(runtime_.run(queue_->sweep()));
    EXPECT_EQ(get(running).state, JobState::kCancelled) << "a dead worker's too";
}

TEST_P(QueueTest, OwnersDoNotSeeEachOther) {
    const std::string id = add(job("anna")).value().job.id;
    for (const auto code : {runtime_.run(queue_->get("bert", id)).error().code(),
                            runtime_.run(queue_->cancel("bert", id)).error().code(),
                            runtime_.run(queue_->redrive("bert", id)).error().code(),
                            runtime_.run(queue_->attempts("bert", id)).error().code()}) {
        EXPECT_EQ(code, ErrorCode::kNotFound);
    }
    JobFilter filter;
    filter.owner = "bert";
    EXPECT_TRUE(runtime_.run(queue_->list(filter)).value().empty());
    EXPECT_EQ(get(id).state, JobState::kQueued);
}

TEST_P(QueueTest, ListsInPages) {
    std::vector<std::string> newest_first;
    for (int i = 0; i < 7; ++i) {
        newest_first.insert(newest_first.begin(), add(job()).value().job.id);
    }
    JobFilter filter;
    filter.owner = "anna";
    filter.limit = 3;
    std::vector<std::string> seen;
    for (;;) {
        const auto page = runtime_.run(queue_->list(filter)).value();
        if (page.empty()) break;
        for (const Job& found : page) seen.push_back(found.id);
        filter.before_id = seen.back();
    }
    EXPECT_EQ(seen, newest_first);
    filter.before_id.reset();
    filter.state = JobState::kRunning;
    EXPECT_TRUE(runtime_.run(queue_->list(filter)).value().empty());
}

TEST_P(QueueTest, AFullQueueRefuses) {
    open({.depth_max = 2});
    ASSERT_TRUE(add(job()));
    ASSERT_TRUE(add(job()));
    const auto refused = add(job());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kRateLimited);
    EXPECT_GT(refused.error().retry_after_s(), 0);
    ASSERT_TRUE(take());
    EXPECT_TRUE(add(job()));
}

TEST_P(QueueTest, FinishedJobsLeaveAfterTheirTime) {
    const std::string id = add(job()).value().job.id;
    const std::string waiting = add(job()).value().job.id;
    const auto claim = take();
    const auto done = [&](Transaction& tx) { return succeed_job(tx, *claim, "{}"); };
    ASSERT_TRUE(in_transaction(done).value());
    clock_.advance(24h * 7 + 1ms);
    ASSERT_TRUE(runtime_.run(queue_->sweep()));
    EXPECT_FALSE(runtime_.run(queue_->get("anna", id)));
    EXPECT_EQ(get(waiting).state, JobState::kQueued);
}

TEST_P(QueueTest, RefusesWhatIsOutOfBounds) {
    NewJob nameless = job();
    nameless.kind.clear();
    EXPECT_EQ(add(nameless).error().param(), "kind");
    NewJob huge = job();
    huge.payload.assign((1 << 20) + 1, ' ');
    EXPECT_EQ(add(huge).error().param(), "payload");
    NewJob eager = job();
    eager.attempts_max = 0;
    EXPECT_EQ(add(eager).error().param(), "attempts_max");
}

TEST(RetryDelay, GrowsWithinItsBounds) {
    Rng rng(1);
    const RetryPolicy policy{.first = 1s, .longest = 60s};
    for (int failures = 1; failures <= 100; ++failures) {
        const auto full = std::min<std::chrono::milliseconds>(
            std::chrono::seconds(std::int64_t{1} << std::min(failures - 1, 30)), 60s);
        for (int i = 0; i < 20; ++i) {
            const auto delay = retry_delay(policy, failures, rng);
            EXPECT_GE(delay, full / 2);
            EXPECT_LE(delay, full);
        }
    }
}

// Several workers that stop, die, fail and return at random, on a clock that jumps. Each job's
// effect is written once at most, under its fence; at the end every job has come to an end, and
// those that succeeded have their effect.
TEST_P(QueueTest, RandomLivesLeaveEachEffectOnce) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        Rng rng(seed);
        std::vector<std::string> ids;
        for (int i = 0; i < 12; ++i) ids.push_back(add(job()).value().job.id);
        std::map<std::string, int> effects;
        std::vector<Claim> held;  // by workers that live, are stopped, or have died unnoticed
        const auto act = [&](const Claim& claim, std::uint64_t what) {
            const auto fn = [&](Transaction& tx) -> Result<bool> {
                if (what == 0) return fail_job(tx, claim, "by chance", true, 1s);
                if (what == 1) return hand_back_job(tx, claim);
                HEDDLE_TRY_VOID(require_lease(tx, claim.job.id, claim.token));
                const std::string id = claim.job.id;
                tx.after_commit([&effects, id] { ++effects[id]; });
                return succeed_job(tx, claim, "{}");
            };
            (void)in_transaction(fn);
        };
        for (int step = 0; step < 400; ++step) {
            const std::uint64_t dice = rng.below(10);
            if (dice < 4) {
                if (auto claim = take()) held.push_back(std::move(*claim));
            } else if (dice < 7 && !held.empty()) {
                const auto at = held.begin() + static_cast<std::ptrdiff_t>(rng.below(held.size()));
                act(*at, rng.below(4));
                if (rng.below(2) == 0) held.erase(at);  // else it will act again, wrongly
            } else if (dice < 9) {
                clock_.advance(std::chrono::milliseconds(rng.below(20'000)));
            } else {
                ASSERT_TRUE(runtime_.run(queue_->sweep()));
            }
        }
        for (const std::string& id : ids) {
            const Job end = get(id);
            EXPECT_EQ(effects[id], end.state == JobState::kSucceeded ? 1 : 0)
                << "seed " << seed << " " << to_string(end.state);
            EXPECT_LE(end.attempts, end.attempts_max);
            if (end.state == JobState::kQueued || end.state == JobState::kRunning) {
                ASSERT_TRUE(runtime_.run(queue_->cancel("anna", id)));
            }
        }
        clock_.advance(60s);
        ASSERT_TRUE(runtime_.run(queue_->sweep()));
    }
}

}  // namespace
}  // namespace heddle::jobs
