// Fork and join for kernels: a fixed number of threads, the caller among them, run one function
// and meet again. No queue, no allocation, no thread per request.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace heddle::compute {

// Half-open range of items.
struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

// Part `index` of `parts` of [0, items), in multiples of `grain`, as even as that allows.
[[nodiscard]] Range split_evenly(std::int64_t items, std::int64_t grain, int parts, int index);

// One thread at a time calls run() (the backend's executor). Workers spin for a moment after each
// run, since a step is hundreds of short ones, and then sleep.
class ThreadPool {
public:
    // threads >= 1, the caller counted: ThreadPool(1) starts none.
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    [[nodiscard]] int threads() const { return threads_; }

    // Calls fn(worker) for worker 0 … threads()-1 at the same time (0 on this thread) and returns
    // when all are done. fn must not throw and must not call run().
    template <class Fn>
    void run(Fn&& fn) {
        run_erased(
            [](void* context, int worker) {
                (*static_cast<std::remove_reference_t<Fn>*>(context))(worker);
            },
            const_cast<void*>(static_cast<const void*>(&fn)));
    }

private:
    using Job = void (*)(void* context, int worker);

    void run_erased(Job job, void* context);
    void work(int worker);

    const int threads_;
    std::vector<std::thread> workers_;
    // Written by run() before round_ is raised, read by workers after they saw it.
    Job job_ = nullptr;
    void* context_ = nullptr;
    alignas(64) std::atomic<std::uint32_t> round_{0};
    alignas(64) std::atomic<std::uint32_t> pending_{0};
    std::atomic<bool> stopping_{false};
};

}  // namespace heddle::compute
