// The threads of the process: N I/O threads, each with its own single-threaded io_context, and a
// pool of workers for what computes or blocks. Nothing on an I/O thread computes or blocks for
// more than a millisecond.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "async/task.h"

namespace heddle::async {

struct RuntimeOptions {
    std::size_t io_threads = 1;
    std::size_t worker_threads = 2;
};

// Where offload() sends CPU-bound and blocking work. Thread-safe.
class WorkerPool {
public:
    explicit WorkerPool(std::size_t threads) : threads_(threads), pool_(threads) {}

    [[nodiscard]] asio::thread_pool::executor_type executor() { return pool_.get_executor(); }
    [[nodiscard]] std::size_t threads() const { return threads_; }
    // Work handed in and not yet finished.
    [[nodiscard]] std::size_t pending() const { return pending_.load(std::memory_order_relaxed); }

    // Waits for work in progress; called once, after everything that offloads has stopped.
    void join() { pool_.join(); }

private:
    template <class F>
    friend Task<std::invoke_result_t<F&>> offload(WorkerPool& pool, F fn);

    std::size_t threads_;
    std::atomic<std::size_t> pending_{0};
    asio::thread_pool pool_;
};

class Runtime {
public:
    explicit Runtime(RuntimeOptions options);
    // Stops whatever still runs.
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    [[nodiscard]] std::size_t io_threads() const { return contexts_.size(); }
    [[nodiscard]] asio::io_context& io(std::size_t index) { return *contexts_[index]; }
    // Round robin, for what does not care.
    [[nodiscard]] asio::io_context& next_io();
    [[nodiscard]] WorkerPool& workers() { return workers_; }

    // Runs a task on an I/O thread and waits for it here; for main, tests and one-shot commands.
    // Never called on a thread of the runtime. Exceptions come out.
    template <class T>
    T run(Task<T> task);

    // Ends the I/O threads (pending handlers are dropped) and joins the workers. Idempotent.
    void stop();

private:
    void start();

    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
    WorkerPool workers_;
    bool stopped_ = false;
};

}  // namespace heddle::async

#include "async/runtime_impl.h"
