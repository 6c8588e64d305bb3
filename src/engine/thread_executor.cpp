#include "engine/thread_executor.h"

#include <exception>
#include <utility>

#include "base/log.h"

namespace heddle::engine {

ThreadExecutor::ThreadExecutor(std::unique_ptr<StepRunner> runner)
    : runner_(std::move(runner)), thread_([this] { loop(); }) {}

ThreadExecutor::~ThreadExecutor() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void ThreadExecutor::submit(std::shared_ptr<const StepPlan> plan,
                            std::vector<SequenceStart> starts) {
    {
        const std::lock_guard lock(mutex_);
        submitted_.push_back({std::move(plan), std::move(starts)});
    }
    changed_.notify_all();
}

StepResult ThreadExecutor::collect_blocking() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !done_.empty(); });
    StepResult result = std::move(done_.front());
    done_.pop_front();
    return result;
}

void ThreadExecutor::loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || !submitted_.empty(); });
        if (submitted_.empty()) return;
        Work work = std::move(submitted_.front());
        submitted_.pop_front();
        lock.unlock();
        StepResult result = run(std::move(work));
        lock.lock();
        done_.push_back(std::move(result));
        changed_.notify_all();
    }
}

StepResult ThreadExecutor::run(Work work) {
    try {
        for (SequenceStart& start : work.starts) runner_->start(std::move(start));
        return runner_->run(*work.plan);
    } catch (const std::exception& failure) {
        log::error("engine", "a step failed", {{"reason", failure.what()}});
        StepResult result;
        result.error = Error(ErrorCode::kInternal, "the model could not compute this step");
        return result;
    }
}

}  // namespace heddle::engine
