#include "compute/thread_pool.h"

#include <limits>

#include "base/check.h"

namespace heddle::compute {
namespace {

// About 20 to 50 microseconds: longer than the gap between two ops of a step, shorter than a
// scheduler's time slice by far.
constexpr int kSpins = 2000;

constexpr std::uint64_t kLeftMask = 0xFFFFFFFFU;

// Returns when `value` is no longer `old`.
void await_change(std::atomic<std::uint32_t>& value, std::uint32_t old) {
    for (int spins = 0; spins < kSpins; ++spins) {
        if (value.load(std::memory_order_acquire) != old) return;
        __builtin_ia32_pause();
    }
    value.wait(old, std::memory_order_acquire);
}

}  // namespace

Range split_evenly(std::int64_t items, std::int64_t parts, std::int64_t index) {
    return {items * index / parts, items * (index + 1) / parts};
}

ThreadPool::ThreadPool(int threads) : threads_(threads) {
    HEDDLE_CHECK(threads >= 1, "a pool has at least its caller");
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    for (int worker = 1; worker < threads; ++worker) {
        workers_.emplace_back(&ThreadPool::work, this, worker);
    }
}

ThreadPool::~ThreadPool() {
    stopping_.store(true, std::memory_order_relaxed);
    bell_.fetch_add(1, std::memory_order_release);
    bell_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_erased(Job job, void* context, std::int64_t tasks) {
    HEDDLE_CHECK(tasks >= 0 && tasks <= std::numeric_limits<std::int32_t>::max(),
                 "a call has fewer than 2^31 tasks");
    if (workers_.empty() || tasks <= 1) {
        for (std::int64_t task = 0; task < tasks; ++task) job(context, task, 0);
        return;
    }
    job_ = job;
    context_ = context;
    tasks_ = static_cast<std::uint32_t>(tasks);
    done_.store(0, std::memory_order_relaxed);
    left_.store((std::uint64_t{++call_} << 32) | tasks_, std::memory_order_release);
    bell_.fetch_add(1, std::memory_order_release);
    bell_.notify_all();

    std::uint32_t own = 0;
    for (std::int64_t task = claim(); task >= 0; task = claim()) {
        job(context, task, 0);
        ++own;
    }
    std::uint32_t done = done_.fetch_add(own, std::memory_order_acq_rel) + own;
    while (done != tasks_) {
        await_change(done_, done);
        done = done_.load(std::memory_order_acquire);
    }
}

std::int64_t ThreadPool::claim() {
    std::uint64_t left = left_.load(std::memory_order_acquire);
    while ((left & kLeftMask) != 0) {
        if (left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
            return static_cast<std::int64_t>(tasks_ - (left & kLeftMask));
        }
    }
    return -1;
}

void ThreadPool::work(int worker) {
    for (;;) {
        const std::uint32_t bell = bell_.load(std::memory_order_acquire);
        if (stopping_.load(std::memory_order_relaxed)) return;
        for (std::int64_t task = claim(); task >= 0; task = claim()) {
            job_(context_, task, worker);
            done_.fetch_add(1, std::memory_order_acq_rel);
            // run() may sleep on any earlier value; without a sleeper this costs a load.
            done_.notify_one();
        }
        await_change(bell_, bell);
    }
}

}  // namespace heddle::compute
