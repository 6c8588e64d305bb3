#include "compute/thread_pool.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::compute {
namespace {

// About 20 to 50 microseconds: longer than the gap between two ops of a step, shorter than a
// scheduler's time slice by far.
constexpr int kSpins = 2000;

inline void pause() {
    __builtin_ia32_pause();
}

}  // namespace

Range split_evenly(std::int64_t items, std::int64_t grain, int parts, int index) {
    const std::int64_t units = (items + grain - 1) / grain;
    const std::int64_t begin = units * index / parts * grain;
    const std::int64_t end = units * (index + 1) / parts * grain;
    return {std::min(begin, items), std::min(end, items)};
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
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_erased(Job job, void* context) {
    if (workers_.empty()) {
        job(context, 0);
        return;
    }
    job_ = job;
    context_ = context;
    pending_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    job(context, 0);
    int spins = 0;
    for (;;) {
        const std::uint32_t left = pending_.load(std::memory_order_acquire);
        if (left == 0) return;
        if (++spins < kSpins) {
            pause();
        } else {
            pending_.wait(left, std::memory_order_acquire);
        }
    }
}

void ThreadPool::work(int worker) {
    std::uint32_t seen = 0;
    for (;;) {
        int spins = 0;
        std::uint32_t round = round_.load(std::memory_order_acquire);
        while (round == seen) {
            if (++spins < kSpins) {
                pause();
            } else {
                round_.wait(seen, std::memory_order_acquire);
            }
            round = round_.load(std::memory_order_acquire);
        }
        seen = round;
        if (stopping_.load(std::memory_order_relaxed)) return;
        job_(context_, worker);
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
    }
}

}  // namespace heddle::compute
