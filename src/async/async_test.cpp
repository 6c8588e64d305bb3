// Tasks, groups, streams, semaphores and deadlines on real threads: what is pushed arrives, what
// is cancelled ends, nothing outlives its group.
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include "async/deadline.h"
#include "async/gather.h"
#include "async/offload.h"
#include "async/runtime.h"
#include "async/semaphore.h"
#include "async/stream.h"
#include "async/task_group.h"
#include "async/together.h"

namespace heddle::async {
namespace {

using namespace std::chrono_literals;

RuntimeOptions two_and_two() {
    return {.io_threads = 2, .worker_threads = 2};
}

Task<int> sum_of(std::shared_ptr<Stream<int>> stream) {
    int sum = 0;
    while (auto item = co_await stream->next()) sum += *item;
    co_return sum;
}

TEST(Stream, DeliversEverythingPushedBeforeTheEnd) {
    Runtime runtime(two_and_two());
    const auto stream = std::make_shared<Stream<int>>(100);
    for (int i = 1; i <= 100; ++i) ASSERT_TRUE(stream->try_push(int{i}));
    EXPECT_FALSE(stream->try_push(101)) << "a full stream refuses";
    stream->close();
    EXPECT_EQ(runtime.run(sum_of(stream)), 5050);
}

TEST(Stream, CrossesThreadsWithBackPressure) {
    Runtime runtime(two_and_two());
    const auto stream = std::make_shared<Stream<int>>(4);
    std::thread producer([stream] {
        for (int i = 1; i <= 20'000; ++i) {
            while (!stream->try_push(int{i})) std::this_thread::yield();
        }
        stream->close();
    });
    EXPECT_EQ(runtime.run(sum_of(stream)), 20'000 / 2 * 20'001);
    producer.join();
}

Task<int> push_until_refused(std::shared_ptr<Stream<int>> stream) {
    int pushed = 0;
    while (co_await stream->push(pushed)) ++pushed;
    co_return pushed;
}

Task<int> take_three_then_leave(std::shared_ptr<Stream<int>> stream) {
    int last = 0;
    for (int i = 0; i < 3; ++i) last = *(co_await stream->next());
    stream->abandon();
    co_return last;
}

TEST(Stream, AbandonStopsTheProducer) {
    Runtime runtime(two_and_two());
    const auto stream = std::make_shared<Stream<int>>(2);
    auto producer = asio::co_spawn(runtime.io(1), push_until_refused(stream), asio::use_future);
    EXPECT_EQ(runtime.run(take_three_then_leave(stream)), 2);
    EXPECT_GE(producer.get(), 3);
}

Task<std::size_t> first_batch(std::shared_ptr<Stream<int>> stream) {
    co_return (co_await stream->next_batch()).size();
}

TEST(Stream, TakesAllThatIsReadyAtOnce) {
    Runtime runtime(two_and_two());
    const auto stream = std::make_shared<Stream<int>>(16);
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(stream->try_push(int{i}));
    EXPECT_EQ(runtime.run(first_batch(stream)), 7u);
}

TEST(Offload, RunsElsewhereAndResumesHere) {
    Runtime runtime(two_and_two());
    const auto task = [](Runtime* rt) -> Task<bool> {
        const auto before = std::this_thread::get_id();
        const auto fn = [] { return std::this_thread::get_id(); };
        const auto inside = co_await offload(rt->workers(), fn);
        co_return inside != before&& std::this_thread::get_id() == before;
    };
    EXPECT_TRUE(runtime.run(task(&runtime)));
    EXPECT_EQ(runtime.workers().pending(), 0u);
}

TEST(Offload, PassesExceptionsOn) {
    Runtime runtime(two_and_two());
    const auto task = [](Runtime* rt) -> Task<int> {
        const auto fn = []() -> int { throw std::runtime_error("from the pool"); };
        co_return co_await offload(rt->workers(), fn);
    };
    EXPECT_THROW(runtime.run(task(&runtime)), std::runtime_error);
}

Task<int> slow(int value, std::chrono::milliseconds time) {
    co_await sleep_for(time);
    co_return value;
}

TEST(Deadline, CutsWhatIsSlowAndLetsPassWhatIsNot) {
    Runtime runtime(two_and_two());
    const auto late = runtime.run(with_deadline(Deadline::after(20ms), slow(1, 10s)));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), ErrorCode::kDeadlineExceeded);
    const auto early = runtime.run(with_deadline(Deadline::never(), slow(2, 1ms)));
    ASSERT_TRUE(early);
    EXPECT_EQ(*early, 2);
}

TEST(Gather, KeepsOrderAndRunsAtOnce) {
    Runtime runtime(two_and_two());
    const auto task = []() -> Task<std::vector<int>> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 50; ++i) tasks.push_back(slow(i, std::chrono::milliseconds(50 - i)));
        co_return co_await gather(std::move(tasks));
    };
    std::vector<int> expected(50);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(runtime.run(task()), expected);
}

Task<int> fail_after(std::chrono::milliseconds time) {
    co_await sleep_for(time);
    throw std::runtime_error("one of many");
}

TEST(Gather, OneFailureCancelsTheOthers) {
    Runtime runtime(two_and_two());
    const auto task = []() -> Task<std::vector<int>> {
        std::vector<Task<int>> tasks;
        tasks.push_back(slow(1, 1h));
        tasks.push_back(fail_after(5ms));
        co_return co_await gather(std::move(tasks));
    };
    EXPECT_THROW(runtime.run(task()), std::runtime_error);
}

TEST(Gather, IsCancelledByADeadline) {
    Runtime runtime(two_and_two());
    const auto task = []() -> Task<Result<std::vector<int>>> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 5; ++i) tasks.push_back(slow(i, 1h));
        co_return co_await with_deadline(Deadline::after(10ms), gather(std::move(tasks)));
    };
    EXPECT_FALSE(runtime.run(task()));
}

Task<> count_down(std::atomic<int>* left, std::chrono::milliseconds time) {
    struct OnExit {
        std::atomic<int>* left;
        ~OnExit() { --*left; }
    };
    const OnExit on_exit{left};
    co_await sleep_for(time);
}

Task<> offload_again_and_again(Runtime& rt) {
    const auto fn = [] { return 1; };
    for (;;) co_await offload(rt.workers(), fn);
}

// A cancellation that comes while the work is on its way to the pool ends the caller, not the
// process.
TEST(Offload, IsSafeToCancelAtAnyMoment) {
    Runtime runtime(two_and_two());
    for (int round = 0; round < 300; ++round) {
        auto task = with_deadline(Deadline::after(std::chrono::microseconds(50 + 7 * round)),
                                  offload_again_and_again(runtime));
        const Result<> outcome = runtime.run(std::move(task));
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code(), ErrorCode::kDeadlineExceeded);
    }
}

Task<> note_how_it_ends(std::shared_ptr<std::string> ending) {
    try {
        co_await with_deadline(Deadline::after(1h), sleep_for(1h));
    } catch (const boost::system::system_error& error) {
        *ending = error.code().message();
    } catch (const std::exception& error) {
        *ending = error.what();
    }
}

TEST(Deadline, ACancelledRaceThrowsOneCancellation) {
    Runtime runtime(two_and_two());
    const auto ending = std::make_shared<std::string>();
    auto task = with_deadline(Deadline::after(5ms), note_how_it_ends(ending));
    EXPECT_FALSE(runtime.run(std::move(task)));
    const boost::system::error_code aborted = asio::error::operation_aborted;
    EXPECT_EQ(*ending, aborted.message());
}

TEST(TaskGroup, CancelEndsAllAndJoinWaits) {
    Runtime runtime(two_and_two());
    std::atomic<int> left{100};
    const auto task = [](Runtime* rt, std::atomic<int>* remaining) -> Task<> {
        TaskGroup group(rt->io(0).get_executor(), "test");
        for (int i = 0; i < 100; ++i)
            group.spawn(count_down(remaining, i < 50 ? 1ms : 3'600'000ms));
        co_await sleep_for(5ms);
        group.cancel();
        co_await group.join();
    };
    runtime.run(task(&runtime, &left));
    EXPECT_EQ(left, 0);
}

Task<> hold(std::shared_ptr<Semaphore> semaphore, std::atomic<int>* inside,
            std::atomic<int>* most) {
    const auto permit = co_await semaphore->acquire();
    const int now = ++*inside;
    if (now > most->load()) *most = now;
    co_await sleep_for(1ms);
    --*inside;
}

TEST(Semaphore, BoundsAndServesAll) {
    Runtime runtime(two_and_two());
    const auto semaphore = Semaphore::create(3);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    const auto task = [](Runtime* rt, std::shared_ptr<Semaphore> s, std::atomic<int>* in,
                         std::atomic<int>* max) -> Task<> {
        TaskGroup group(rt->io(0).get_executor(), "test");
        for (int i = 0; i < 40; ++i) group.spawn(hold(s, in, max));
        co_await group.join();
    };
    runtime.run(task(&runtime, semaphore, &inside, &most));
    EXPECT_EQ(most, 3);
    EXPECT_EQ(semaphore->available(), 3u);
}

TEST(Semaphore, ACancelledWaitLeavesTheQueue) {
    Runtime runtime(two_and_two());
    const auto semaphore = Semaphore::create(1);
    Semaphore::Permit held;
    ASSERT_TRUE(semaphore->try_acquire(held));
    EXPECT_FALSE(runtime.run(with_deadline(Deadline::after(5ms), semaphore->acquire())));
    EXPECT_EQ(semaphore->waiting(), 0u);
    held = {};
    EXPECT_EQ(semaphore->available(), 1u);
}

Task<> wait_for_ever(bool* ended) {
    try {
        co_await sleep_for(1h);
    } catch (const boost::system::system_error&) {
        *ended = true;
        throw;
    }
}

TEST(Together, GivesTheValueAndEndsBothAsOne) {
    Runtime runtime(two_and_two());
    const auto stream = std::make_shared<Stream<int>>(1);
    const auto produce = [](std::shared_ptr<Stream<int>> out) -> Task<> {
        for (int i = 1; i <= 10; ++i) static_cast<void>(co_await out->push(i));
        out->close();
    };
    EXPECT_EQ(runtime.run(together(produce(stream), sum_of(stream))), 55);

    bool first = false;
    bool second = false;
    const auto fail = []() -> Task<> {
        co_await yield();
        throw std::runtime_error("no");
    };
    EXPECT_THROW(runtime.run(together(fail(), wait_for_ever(&first))), std::runtime_error);
    EXPECT_TRUE(first) << "the other is cancelled and awaited";

    first = false;
    const auto cancelled = [](bool* a, bool* b) -> Task<bool> {
        TaskGroup group(co_await asio::this_coro::executor, "test");
        bool once = false;
        const auto watch = [](bool* x, bool* y, bool* seen) -> Task<> {
            try {
                co_await together(wait_for_ever(x), wait_for_ever(y));
            } catch (const boost::system::system_error& error) {
                *seen = error.code() == asio::error::operation_aborted;
            }
        };
        group.spawn(watch(a, b, &once));
        co_await sleep_for(1ms);
        group.cancel();
        co_await group.join();
        co_return once;
    };
    EXPECT_TRUE(runtime.run(cancelled(&first, &second))) << "one cancellation, not two failures";
    EXPECT_TRUE(first && second);
}

}  // namespace
}  // namespace heddle::async
