// Every task runs once, calls follow each other without mixing, workers keep their numbers apart,
// and ranges cover all items once.
#include "compute/thread_pool.h"

#include <atomic>
#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace heddle::compute {
namespace {

TEST(ThreadPool, EveryTaskRunsOnceACall) {
    for (const int threads : {1, 2, 5}) {
        ThreadPool pool(threads);
        for (int call = 0; call < 300; ++call) {
            const int tasks = call % 40;
            std::vector<int> runs(static_cast<std::size_t>(tasks), 0);
            pool.run(tasks,
                     [&](std::int64_t task, int) { ++runs[static_cast<std::size_t>(task)]; });
            // run() has joined: plain reads see what the workers wrote.
            for (const int count : runs) ASSERT_EQ(count, 1);
        }
    }
}

TEST(ThreadPool, AWorkerIsInOneTaskAtATime) {
    ThreadPool pool(4);
    std::vector<std::atomic<int>> inside(4);
    for (int call = 0; call < 100; ++call) {
        pool.run(16, [&](std::int64_t, int worker) {
            auto& mine = inside[static_cast<std::size_t>(worker)];
            EXPECT_EQ(mine.fetch_add(1), 0);
            std::this_thread::yield();
            mine.fetch_sub(1);
        });
    }
}

TEST(ThreadPool, SleepingWorkersWakeUp) {
    ThreadPool pool(3);
    for (int call = 0; call < 5; ++call) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        // Only together can the tasks end, so all three threads must have come.
        std::atomic<int> arrived{0};
        pool.run(3, [&](std::int64_t, int) {
            ++arrived;
            while (arrived < 3) std::this_thread::yield();
        });
        EXPECT_EQ(arrived, 3);
    }
}

TEST(SplitEvenly, CoversAllItemsOnce) {
    for (const std::int64_t items : {0, 1, 15, 16, 17, 100, 1001}) {
        for (const std::int64_t parts : {1, 2, 3, 8}) {
            std::int64_t at = 0;
            for (std::int64_t i = 0; i < parts; ++i) {
                const Range range = split_evenly(items, parts, i);
                EXPECT_EQ(range.begin, at);
                EXPECT_LE(range.end - range.begin, items / parts + 1);
                at = range.end;
            }
            EXPECT_EQ(at, items);
        }
    }
}

}  // namespace
}  // namespace heddle::compute
