// An executor for devices that compute where they are called (the CPU): a StepRunner on a thread
// of its own, with room for two steps, so that the engine plans one while the other runs.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/executor.h"

namespace heddle::engine {

class ThreadExecutor final : public Executor {
public:
    explicit ThreadExecutor(std::unique_ptr<StepRunner> runner);
    // Finishes the steps that were submitted.
    ~ThreadExecutor() override;

    [[nodiscard]] std::size_t depth() const override { return 2; }
    void submit(std::shared_ptr<const StepPlan> plan, std::vector<SequenceStart> starts) override;
    [[nodiscard]] StepResult collect_blocking() override;

private:
    struct Work {
        std::shared_ptr<const StepPlan> plan;
        std::vector<SequenceStart> starts;
    };

    void loop();
    [[nodiscard]] StepResult run(Work work);

    std::unique_ptr<StepRunner> runner_;  // executor thread
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Work> submitted_;   // guarded by mutex_
    std::deque<StepResult> done_;  // guarded by mutex_
    bool stopping_ = false;        // guarded by mutex_
    std::thread thread_;
};

}  // namespace heddle::engine
