// Fork and join for kernels: a fixed number of threads, the caller among them, share the tasks of
// one call and meet again. No queue, no allocation, no thread per request.
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

// Part `index` of `parts` of [0, items), as even as that allows.
[[nodiscard]] Range split_evenly(std::int64_t items, std::int64_t parts, std::int64_t index);

// One thread at a time calls run() (the backend's executor). Workers spin for a moment after each
// call, since a step is hundreds of short ones, and then sleep. A worker that the system does not
// let run delays nobody: tasks are taken one by one, and a call waits only for those begun.
class ThreadPool {
public:
    // threads >= 1, the caller counted: ThreadPool(1) starts none.
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    [[nodiscard]] int threads() const { return threads_; }

    // Calls fn(task, worker) once for each task of [0, tasks), tasks < 2^31, and returns when all
    // are done. worker, from 0 to threads()-1, tells the threads apart (0 is the caller's): no two
    // calls at the same time have the same. fn must not throw and must not call run().
    template <class Fn>
    void run(std::int64_t tasks, Fn&& fn) {
        run_erased(
            [](void* context, std::int64_t task, int worker) {
                (*static_cast<std::remove_reference_t<Fn>*>(context))(task, worker);
            },
            const_cast<void*>(static_cast<const void*>(&fn)), tasks);
    }

private:
    using Job = void (*)(void* context, std::int64_t task, int worker);

    void run_erased(Job job, void* context, std::int64_t tasks);
    void work(int worker);
    // Takes a task of the call under way; negative when none is left.
    std::int64_t claim();

    const int threads_;
    std::vector<std::thread> workers_;
    // Written by run() before left_ is published; read by whoever has claimed a task, which keeps
    // run() from returning.
    Job job_ = nullptr;
    void* context_ = nullptr;
    std::uint32_t tasks_ = 0;
    std::uint32_t call_ = 0;  // of run()'s thread
    // Number of the call in the high half, tasks not yet claimed in the low one: a late worker
    // cannot mistake one call for another.
    alignas(64) std::atomic<std::uint64_t> left_{0};
    alignas(64) std::atomic<std::uint32_t> done_{0};
    alignas(64) std::atomic<std::uint32_t> bell_{0};  // what idle workers wait on
    std::atomic<bool> stopping_{false};
};

}  // namespace heddle::compute
