// The queue on SQLite, every commit fsynced: durable enqueues a second from many coroutines at
// once, the time from enqueue to start on an idle worker, and jobs worked through a second.
//   bench_jobs FOLDER        prints JSON
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "async/gather.h"
#include "async/runtime.h"
#include "jobs/job_queue.h"
#include "jobs/schema.h"
#include "jobs/worker.h"
#include "storage/database.h"

namespace {

using namespace heddle;
using Steady = std::chrono::steady_clock;

double ms_since(Steady::time_point start) {
    return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

jobs::NewJob new_job() {
    jobs::NewJob job;
    job.queue = "bench";
    job.kind = "note_start";
    job.owner = "bench";
    return job;
}

class NoteStart final : public jobs::JobHandler {
public:
    async::Task<Result<std::string>> run(jobs::JobContext&) override {
        started = Steady::now();
        ++count;
        co_return "{}";
    }
    Steady::time_point started;
    int count = 0;
};

async::Task<int> enqueue_many(jobs::JobQueue* queue, int count) {
    for (int i = 0; i < count; ++i) (co_await queue->enqueue(new_job())).value();
    co_return count;
}

async::Task<double> enqueue_rate(jobs::JobQueue* queue, int tasks, int each) {
    std::vector<async::Task<int>> all;
    for (int i = 0; i < tasks; ++i) all.push_back(enqueue_many(queue, each));
    const auto start = Steady::now();
    co_await async::gather(std::move(all));
    co_return tasks* each * 1000.0 / ms_since(start);
}

async::Task<double> work_rate(jobs::Worker* worker, NoteStart* handler, int count) {
    const auto start = Steady::now();
    worker->start();
    while (handler->count < count) co_await async::sleep_for(std::chrono::milliseconds(1));
    co_return count * 1000.0 / ms_since(start);
}

async::Task<std::vector<double>> start_latencies(jobs::JobQueue* queue, NoteStart* handler) {
    std::vector<double> out;
    for (int i = 0; i < 200; ++i) {
        co_await async::sleep_for(std::chrono::milliseconds(5));
        const int before = handler->count;
        const auto start = Steady::now();
        (co_await queue->enqueue(new_job())).value();
        while (handler->count == before) co_await async::yield();
        out.push_back(std::chrono::duration<double, std::milli>(handler->started - start).count());
    }
    std::ranges::sort(out);
    co_return out;
}

async::Task<int> stop(jobs::Worker* worker) {
    co_await worker->stop(std::chrono::seconds(1));
    co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: bench_jobs FOLDER\n", stderr), 2;
    auto db = storage::Database::open({.location = std::string(argv[1]) + "/bench.db"}).value();
    if (!db->migrate(jobs::job_schema())) return 1;
    jobs::JobQueue queue(*db);
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    constexpr int kTasks = 64;
    constexpr int kEach = 200;
    const double one_by_one = runtime.run(enqueue_rate(&queue, 1, 200));
    const double together = runtime.run(enqueue_rate(&queue, kTasks, kEach));
    NoteStart handler;
    jobs::WorkerOptions options;
    options.lanes = {{.queue = "bench", .count = 16}};
    jobs::Worker worker(queue, runtime.io(0).get_executor(), options);
    worker.handle("note_start", handler);
    const double worked = runtime.run(work_rate(&worker, &handler, 200 + kTasks * kEach));
    const auto latencies = runtime.run(start_latencies(&queue, &handler));
    runtime.run(stop(&worker));
    fmt::print(
        "{{\"store\": \"sqlite\", \"enqueues_per_second_one_by_one\": {:.0f}, "
        "\"enqueues_per_second_of_64\": {:.0f}, \"jobs_worked_per_second_16_lanes\": {:.0f}, "
        "\"enqueue_to_start_ms_p50\": {:.2f}, \"enqueue_to_start_ms_p99\": {:.2f}}}\n",
        one_by_one, together, worked, latencies[latencies.size() / 2],
        latencies[latencies.size() * 99 / 100]);
    return 0;
}
