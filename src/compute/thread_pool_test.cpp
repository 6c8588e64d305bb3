// Every worker runs once a round, rounds follow each other without mixing, and ranges cover all
// items once.
#include "compute/thread_pool.h"

#include <atomic>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace heddle::compute {
namespace {

TEST(ThreadPool, EveryWorkerRunsOnceARound) {
    for (const int threads : {1, 2, 5}) {
        ThreadPool pool(threads);
        std::vector<int> runs(static_cast<std::size_t>(threads), 0);
        for (int round = 1; round <= 300; ++round) {
            pool.run([&](int worker) { ++runs[static_cast<std::size_t>(worker)]; });
            // run() has joined: plain reads see what the workers wrote.
            for (const int count : runs) ASSERT_EQ(count, round);
        }
    }
}

TEST(ThreadPool, SleepingWorkersWakeUp) {
    ThreadPool pool(3);
    std::atomic<int> sum{0};
    for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        pool.run([&](int worker) { sum += worker + 1; });
    }
    EXPECT_EQ(sum, 5 * (1 + 2 + 3));
}

TEST(SplitEvenly, CoversAllItemsOnceInWholeGrains) {
    for (const std::int64_t items : {0, 1, 15, 16, 17, 100, 1001}) {
        for (const std::int64_t grain : {1, 4, 16}) {
            for (const int parts : {1, 2, 3, 8}) {
                std::int64_t at = 0;
                for (int i = 0; i < parts; ++i) {
                    const Range range = split_evenly(items, grain, parts, i);
                    EXPECT_EQ(range.begin, at);
                    EXPECT_LE(range.begin, range.end);
                    EXPECT_TRUE(range.begin % grain == 0 || range.begin == items);
                    at = range.end;
                }
                EXPECT_EQ(at, items);
            }
        }
    }
}

}  // namespace
}  // namespace heddle::compute
