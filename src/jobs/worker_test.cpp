// Handlers run by a worker on real threads and the real clock.
#include "jobs/worker.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include "async/deadline.h"
#include "jobs/queue_testing.h"

namespace heddle::jobs {
namespace {

using namespace std::chrono_literals;

// Calls a plain function that makes the coroutine, so that no lambda is one.
class Handler final : public JobHandler {
public:
    using Function = async::Task<Result<std::string>> (*)(JobContext&, Handler&);
    explicit Handler(Function function) : function_(function) {}
    async::Task<Result<std::string>> run(JobContext& context) override {
        ++calls;
        return function_(context, *this);
    }
    std::atomic<int> calls{0};
    std::atomic<bool> saw_stop{false};

private:
    Function function_;
};

async::Task<Result<std::string>> echo(JobContext& context, Handler&) {
    co_return context.job().payload;
}

async::Task<Result<std::string>> fail_twice(JobContext&, Handler& self) {
    if (self.calls == 1) throw std::runtime_error("by exception");
    if (self.calls == 2) co_return fail(ErrorCode::kUpstream, "by error");
    co_return "\"third time lucky\"";
}

async::Task<Result<std::string>> forever(JobContext& context, Handler& self) {
    context.set_progress(R"({"step":1})");
    struct OnExit {
        JobContext& context;
        Handler& self;
        ~OnExit() { self.saw_stop = context.should_stop(); }
    };
    const OnExit on_exit{context, self};
    co_await async::sleep_for(1h);
    co_return "{}";
}

async::Task<Result<std::string>> refuse(JobContext&, Handler&) {
    co_return fail(ErrorCode::kInvalidArgument, "not a PDF");
}

class WorkerTest : public QueueTest {
protected:
    void SetUp() override {
        location_ = scratch_.path() + "/heddle.db";
        if (std::string_view(GetParam()) == "postgres") location_ = storage::fresh_postgres_url();
        if (location_.empty()) GTEST_SKIP() << "no PostgreSQL server is installed";
        auto opened = storage::Database::open({.location = location_});
        ASSERT_TRUE(opened);
        db_ = std::move(*opened);
        ASSERT_TRUE(db_->migrate(job_schema()));
        queue_ = std::make_unique<JobQueue>(*db_);
    }
    void TearDown() override {
        if (worker_) stop(0ms);
    }
    void serve(JobHandler& handler, int lanes = 1) {
        WorkerOptions options;
        options.lanes = {{.queue = "ingest", .count = lanes}};
        options.progress_every = 5ms;
        options.retry.first = 1ms;
        options.poll = 20ms;
        const auto start = [](WorkerTest* test, WorkerOptions with,
                              JobHandler* handles) -> async::Task<bool> {
            test->worker_ = std::make_unique<Worker>(
                *test->queue_, test->runtime_.io(0).get_executor(), std::move(with));
            test->worker_->handle("test", *handles);
            test->worker_->start();
            co_return true;
        };
        ASSERT_TRUE(runtime_.run(start(this, std::move(options), &handler)));
    }
    void stop(std::chrono::milliseconds patience) {
        const auto end = [](WorkerTest* test, std::chrono::milliseconds wait) -> async::Task<bool> {
            co_await test->worker_->stop(wait);
            test->worker_.reset();
            co_return true;
        };
        ASSERT_TRUE(runtime_.run(end(this, patience)));
    }
    // Follows the job until the condition holds or its end.
    template <class Condition>
    Job follow(const std::string& id, Condition condition) {
        const auto task = [](WorkerTest* test, std::string job,
                             std::function<bool(const Job&)> until) -> async::Task<Job> {
            const auto watch = test->queue_->watch("anna", job);
            Job last;
            while (auto next = (co_await watch->next()).value()) {
                last = std::move(*next);
                if (until(last)) break;
            }
            co_return last;
        };
        return runtime_.run(task(this, id, condition));
    }
    Job wait_for_end(const std::string& id) {
        return follow(id, [](const Job&) { return false; });
    }

    std::unique_ptr<Worker> worker_;
};
INSTANTIATE_TEST_SUITE_P(Stores, WorkerTest, testing::Values("sqlite", "postgres"));

TEST_P(WorkerTest, RunsAJobToItsResult) {
    Handler handler(echo);
    serve(handler);
    const Job done = wait_for_end(add(job("anna", "{\"x\":1}")).value().job.id);
    EXPECT_EQ(done.state, JobState::kSucceeded);
    EXPECT_EQ(done.result, "{\"x\":1}");
}

TEST_P(WorkerTest, TriesAgainAfterErrorsAndExceptions) {
    Handler handler(fail_twice);
    serve(handler);
    const Job done = wait_for_end(add(job()).value().job.id);
    EXPECT_EQ(done.state, JobState::kSucceeded);
    EXPECT_EQ(done.attempts, 2);
    EXPECT_EQ(done.result, "\"third time lucky\"");
}

TEST_P(WorkerTest, FailsAtOnceWhatIsOfNoUse) {
    Handler handler(refuse);
    serve(handler);
    const Job done = wait_for_end(add(job()).value().job.id);
    EXPECT_EQ(done.state, JobState::kFailed);
    EXPECT_EQ(done.error, "not a PDF");
    EXPECT_EQ(handler.calls, 1);
}

TEST_P(WorkerTest, AKindThatNobodyKnowsFails) {
    Handler handler(echo);
    serve(handler);
    NewJob unknown = job();
    unknown.kind = "unknown";
    EXPECT_EQ(wait_for_end(add(unknown).value().job.id).state, JobState::kFailed);
}

TEST_P(WorkerTest, ShowsProgressAndStopsWhenCancelled) {
    Handler handler(forever);
    serve(handler);
    const std::string id = add(job()).value().job.id;
    const auto has_progress = [](const Job& seen) { return !seen.progress.empty(); };
    EXPECT_EQ(follow(id, has_progress).progress, R"({"step":1})");
    ASSERT_TRUE(runtime_.run(queue_->cancel("anna", id)));
    const Job end = wait_for_end(id);
    EXPECT_EQ(end.state, JobState::kCancelled);
    EXPECT_TRUE(handler.saw_stop);
}

TEST_P(WorkerTest, EndsAnAttemptThatTakesTooLong) {
    Handler handler(forever);
    serve(handler);
    NewJob slow = job();
    slow.run_time_max = 20ms;
    slow.attempts_max = 2;
    const Job end = wait_for_end(add(slow).value().job.id);
    EXPECT_EQ(end.state, JobState::kDead);
    EXPECT_EQ(end.attempts, 2);
    EXPECT_EQ(end.error, "the job took longer than it may");
}

TEST_P(WorkerTest, HandsBackWhatItCannotFinish) {
    Handler handler(forever);
    serve(handler);
    const std::string id = add(job()).value().job.id;
    follow(id, [](const Job& seen) { return !seen.progress.empty(); });
    stop(5ms);
    const Job waiting = get(id);
    EXPECT_EQ(waiting.state, JobState::kQueued);
    EXPECT_EQ(waiting.attempts, 0);
    EXPECT_EQ(waiting.crashes, 0);
    Handler next(echo);
    serve(next);
    EXPECT_EQ(wait_for_end(id).state, JobState::kSucceeded);
}

TEST_P(WorkerTest, ManyJobsOverManyLanesEachRunOnce) {
    Handler handler(echo);
    serve(handler, 8);
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) ids.push_back(add(job()).value().job.id);
    for (const std::string& id : ids) EXPECT_EQ(wait_for_end(id).state, JobState::kSucceeded);
    EXPECT_EQ(handler.calls, 200);
}

// A process that works through jobs writes each one's effect into a table, under the fence and
// together with its success. It is killed at random again and again.
class Effect final : public JobHandler {
public:
    explicit Effect(storage::Database& db) : db_(db) {}
    async::Task<Result<std::string>> run(JobContext& context) override {
        const auto write = [&](storage::Transaction& tx) -> Result<> {
            HEDDLE_TRY_VOID(context.require_lease(tx));
            HEDDLE_TRY_VOID(tx.execute("INSERT INTO effects (job) VALUES (?)", context.job().id));
            HEDDLE_TRY_VOID(succeed_job(tx, context.claim(), "{}"));
            return {};
        };
        HEDDLE_CO_TRY_VOID(co_await db_.write(write));
        co_return "{}";
    }

private:
    storage::Database& db_;
};

const storage::Schema kEffects{.room = "effects",
                               .steps = {{.sql = "CREATE TABLE effects (job TEXT)"}}};

[[noreturn]] void work_until_killed(const std::string& path) {
    auto db = storage::Database::open({.location = path}).value();
    JobQueue queue(*db, {.crashes_max = 1000});
    if (!queue.recover_blocking()) _exit(1);
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    Effect handler(*db);
    WorkerOptions options;
    options.lanes = {{.queue = "ingest", .count = 4}};
    const auto run = [](JobQueue* from, JobHandler* handles, WorkerOptions with,
                        async::Executor executor) -> async::Task<bool> {
        Worker worker(*from, executor, std::move(with));
        worker.handle("test", *handles);
        worker.start();
        co_await async::sleep_for(1h);
        co_return true;
    };
    runtime.run(run(&queue, &handler, options, runtime.io(0).get_executor()));
    _exit(0);
}

TEST(WorkerCrash, EffectsAppearOnceWhateverIsKilled) {
    const char* scale = std::getenv("HEDDLE_TEST_SCALE");
    const int kills = scale != nullptr && std::string_view(scale) == "full" ? 200 : 6;
    const storage::Scratch scratch;
    const std::string path = scratch.path() + "/heddle.db";
    static constexpr int kJobs = 400;
    {
        auto db = storage::Database::open({.location = path}).value();
        ASSERT_TRUE(db->migrate(job_schema()));
        ASSERT_TRUE(db->migrate(kEffects));
        JobQueue queue(*db);
        const auto fill = [&](storage::Transaction& tx) -> Result<> {
            for (int i = 0; i < kJobs; ++i) {
                NewJob next;
                next.queue = "ingest";
                next.kind = "test";
                next.owner = "anna";
                HEDDLE_TRY_VOID(queue.enqueue(tx, next));
            }
            return {};
        };
        ASSERT_TRUE(db->write_blocking(fill));
    }
    Rng rng(20261122);
    for (int kill_count = 0; kill_count < kills; ++kill_count) {
        const pid_t child = fork();
        if (child == 0) work_until_killed(path);
        usleep(static_cast<useconds_t>(10'000 + rng.below(60'000)));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    }
    auto db = storage::Database::open({.location = path}).value();
    JobQueue queue(*db, {.crashes_max = 1000});
    ASSERT_TRUE(queue.recover_blocking());
    const auto check = [](storage::Session& session) -> Result<> {
        HEDDLE_TRY(const auto twice,
                   session.number("SELECT count(*) - count(DISTINCT job) FROM effects"));
        EXPECT_EQ(twice, 0);
        HEDDLE_TRY(const auto done,
                   session.number("SELECT count(*) FROM jobs WHERE state = 'succeeded'"));
        HEDDLE_TRY(const auto effects, session.number("SELECT count(*) FROM effects"));
        EXPECT_EQ(done, effects);
        EXPECT_GT(done, 0);
        HEDDLE_TRY(const auto left,
                   session.number("SELECT count(*) FROM jobs WHERE state = 'queued'"));
        EXPECT_EQ(done + left, kJobs) << "none is lost";
        return {};
    };
    EXPECT_TRUE(db->read_blocking(check));
}

}  // namespace
}  // namespace heddle::jobs
