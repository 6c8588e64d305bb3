#include "storage/writer.h"

#include <pthread.h>

#include <chrono>

namespace heddle::storage {
namespace {

// Bounds how long the first of a group waits for the last.
constexpr std::size_t kGroupMax = 256;
// How often a function is run again whose transaction gave way to another's.
constexpr int kTriesMax = 5;
// PostgreSQL refuses notices of 8,000 bytes.
constexpr std::size_t kNoticeMax = 7000;

bool gave_way(const Result<>& outcome) {
    return !outcome && outcome.error().reason() == kGaveWay;
}

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, const Clock& clock, Metrics& metrics,
               std::size_t queue_max, std::string origin)
    : connection_(std::move(connection)),
      clock_(clock),
      origin_(std::move(origin)),
      group_size_(metrics.histogram("storage_commit_writes", "Writes that shared one commit",
                                    {1, 2, 4, 8, 16, 32, 64, 128, 256})),
      commit_seconds_(metrics.histogram("storage_commit_seconds",
                                        "Time of a commit with its writes",
                                        {.0005, .001, .002, .005, .01, .02, .05, .1, .5, 1, 5})),
      queue_(queue_max),
      thread_([this] { loop(); }) {}

Writer::~Writer() {
    queue_.close();
    thread_.join();
}

void Writer::loop() {
    pthread_setname_np(pthread_self(), "db-write");
    for (;;) {
        std::vector<Work> group = queue_.take(kGroupMax);
        if (group.empty()) return;
        commit_together(std::move(group));
    }
}

void Writer::commit_together(std::vector<Work> group) {
    const auto start = std::chrono::steady_clock::now();
    if (gave_way(commit(group))) {
        // Two groups of two processes held rows that the other wanted. Alone a function holds few.
        for (const Work& work : group) {
            for (int tries = 0; tries < kTriesMax && gave_way(commit({&work, 1})); ++tries) {
            }
        }
    }
    group_size_.observe(static_cast<double>(group.size()));
    commit_seconds_.observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    for (Work& work : group) impl::finish(std::move(work));
}

Result<> Writer::commit(std::span<const Work> group) {
    Aftermath after;
    Result<> outcome = connection_->begin_write();
    if (outcome) outcome = run_all(group, after);
    if (outcome) outcome = tell(after.news);
    if (outcome) outcome = connection_->commit();
    if (!outcome) {
        connection_->rollback();
        for (const Work& work : group) work->fail(outcome.error());
        return outcome;
    }
    for (const auto& hook : after.hooks) hook();
    return {};
}

// Each function leaves its savepoint to the next one or to the commit, so that there is one
// statement between two of them.
Result<> Writer::run_all(std::span<const Work> group, Aftermath& after) {
    const bool alone = group.size() == 1;
    bool first = true;
    for (const Work& work : group) {
        if (!alone) {
            HEDDLE_TRY_VOID(
                connection_->order(first ? "SAVEPOINT one" : "RELEASE one; SAVEPOINT one"));
        }
        first = false;
        HEDDLE_TRY_VOID(run_one(work, alone, after));
    }
    return {};
}

Result<> Writer::run_one(const Work& work, bool alone, Aftermath& after) {
    Transaction transaction(*connection_, clock_);
    if (work->run(transaction)) {
        for (auto& hook : transaction.take_hooks()) after.hooks.push_back(std::move(hook));
        for (auto& news : transaction.take_news()) after.news.insert(std::move(news));
        return {};
    }
    const Error* error = work->error();
    if (error != nullptr && error->reason() == kGaveWay) return fail(*error);
    if (!connection_->in_transaction()) {
        return fail(ErrorCode::kIo, "the database gave up the transaction; nothing was stored");
    }
    if (alone) {
        connection_->rollback();
        return connection_->begin_write();
    }
    return connection_->order("ROLLBACK TO one");
}

Result<> Writer::tell(const std::set<std::string>& news) {
    std::string notice;
    const auto send = [&]() -> Result<> {
        const Bind values[] = {kNewsChannel, notice};
        HEDDLE_TRY_VOID(connection_->run("SELECT pg_notify(?, ?)", values, nullptr));
        return {};
    };
    for (const std::string& line : news) {
        if (notice.size() + line.size() > kNoticeMax) {
            HEDDLE_TRY_VOID(send());
            notice.clear();
        }
        if (notice.empty()) notice = origin_ + "\n";
        notice += line + "\n";
    }
    return notice.empty() ? Result<>() : send();
}

}  // namespace heddle::storage
