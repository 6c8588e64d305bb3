#include "storage/writer.h"

#include <pthread.h>

#include <chrono>

namespace heddle::storage {
namespace {

// Bounds how long the first of a group waits for the last.
constexpr std::size_t kGroupMax = 256;

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, const Clock& clock, Metrics& metrics,
               std::size_t queue_max)
    : connection_(std::move(connection)),
      clock_(clock),
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
    std::vector<std::function<void()>> hooks;
    Result<> outcome = connection_->begin_write();
    if (outcome) outcome = run_all(group, hooks);
    if (outcome) outcome = connection_->commit();
    if (!outcome) {
        connection_->rollback();
        hooks.clear();
        for (const Work& work : group) work->fail(outcome.error());
    }
    group_size_.observe(static_cast<double>(group.size()));
    commit_seconds_.observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    for (const auto& hook : hooks) hook();
    for (Work& work : group) impl::finish(std::move(work));
}

Result<> Writer::run_all(const std::vector<Work>& group,
                         std::vector<std::function<void()>>& hooks) {
    for (Work work : group) HEDDLE_TRY_VOID(run_one(work, group.size() == 1, hooks));
    return {};
}

Result<> Writer::run_one(Work& work, bool alone, std::vector<std::function<void()>>& hooks) {
    Transaction transaction(*connection_, clock_);
    if (!alone) HEDDLE_TRY_VOID(connection_->script("SAVEPOINT one"));
    if (work->run(transaction)) {
        if (!alone) HEDDLE_TRY_VOID(connection_->script("RELEASE one"));
        for (auto& hook : transaction.take_hooks()) hooks.push_back(std::move(hook));
        return {};
    }
    if (!connection_->in_transaction()) {
        return fail(ErrorCode::kIo, "the database gave up the transaction; nothing was stored");
    }
    if (alone) {
        connection_->rollback();
        return connection_->begin_write();
    }
    return connection_->script("ROLLBACK TO one; RELEASE one");
}

}  // namespace heddle::storage
