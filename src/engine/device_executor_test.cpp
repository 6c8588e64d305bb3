#include "engine/device_executor.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/device_testing.h"
#include "engine/engine.h"
#include "engine/paged_runner_testing.h"
#include "engine/thread_executor.h"

namespace heddle::engine {
namespace {

EngineConfig settings(std::size_t blocks, Schedule schedule) {
    EngineConfig config;
    config.scheduler = {.schedule = schedule,
                        .block_tokens = 4,
                        .block_count = blocks,
                        .step_tokens = 24,
                        .sequences_max = 8,
                        .context_tokens_max = 128,
                        .static_batch = 4};
    config.queue = {.requests_max = 1'000, .tokens_max = 1'000'000};
    return config;
}

// Greedy, drawn and involved requests in turn.
GenerationRequest ask(std::uint64_t seed) {
    GenerationRequest request;
    Rng rng(seed);
    const std::size_t prompt = 1 + rng.below(40);
    for (std::size_t i = 0; i < prompt; ++i) {
        request.prompt.push_back(static_cast<TokenId>(2 + rng.below(62)));
    }
    request.tokens_max = 1 + rng.below(30);
    request.sampling.seed = seed;
    request.sampling.ignore_end = true;
    if (seed % 3 == 0) request.sampling.temperature = 0;
    if (seed % 3 == 1) request.sampling.frequency_penalty = 0.5F;
    return request;
}

struct Answer {
    std::vector<TokenId> tokens;
    FinishReason finish = FinishReason::kNone;
};

// The answers of `count` requests, all submitted at once.
std::vector<Answer> run(Engine& engine, std::uint64_t count) {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Answer> answers(count);
    std::uint64_t open = count;
    std::vector<Generation> handles;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
        handles.push_back(engine
                              .submit(ask(seed),
                                      [&, seed](GenerationEvent event) {
                                          const std::lock_guard lock(mutex);
                                          Answer& answer = answers[seed];
                                          for (const auto& t : event.tokens) {
                                              answer.tokens.push_back(t.token);
                                          }
                                          answer.finish = event.finish;
                                          if (event.finish != FinishReason::kNone && --open == 0) {
                                              changed.notify_all();
                                          }
                                          return Appetite::kMore;
                                      })
                              .value());
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open == 0; });
    return answers;
}

std::unique_ptr<Engine> on_device(FakeDevice& device, std::size_t blocks,
                                  Schedule schedule = Schedule::kContinuous,
                                  DeviceExecutor::OnLost on_lost = {}) {
    return std::make_unique<Engine>(
        settings(blocks, schedule), test_tokens(),
        DeviceExecutor::make(fake_decoder(device, static_cast<std::int64_t>(blocks)), test_tokens(),
                             std::move(on_lost))
            .value());
}

std::vector<Answer> on_cpu(std::size_t blocks, std::uint64_t count) {
    auto runner =
        std::make_unique<PagedRunner>(PagedRunnerConfig{.block_tokens = 4, .block_count = blocks});
    Engine engine(settings(blocks, Schedule::kContinuous), test_tokens(),
                  std::make_unique<ThreadExecutor>(std::move(runner)));
    return run(engine, count);
}

void expect_same(const std::vector<Answer>& got, const std::vector<Answer>& want) {
    for (std::size_t i = 0; i < want.size(); ++i) {
        EXPECT_EQ(got[i].tokens, want[i].tokens) << "seed " << i;
        EXPECT_EQ(got[i].finish, FinishReason::kLength) << "seed " << i;
    }
}

// Tokens fed back on the device, and those chosen on the host, are the ones that a runner which
// knows every token gives; also when blocks are short and sequences are preempted.
TEST(DeviceExecutor, AnswersAreThoseOfTheHost) {
    const auto want = on_cpu(256, 60);
    for (const std::size_t blocks : {256, 40}) {
        FakeDevice device;
        expect_same(run(*on_device(device, blocks), 60), want);
        EXPECT_EQ(device.in_flight_max, 2);
        EXPECT_GT(device.on_host, 0);
    }
}

TEST(DeviceExecutor, StaticBatchesGiveTheSame) {
    FakeDevice device;
    expect_same(run(*on_device(device, 256, Schedule::kStatic), 30), on_cpu(256, 30));
}

// A device that fails ends what runs with an error, says so once, and answers nothing after.
TEST(DeviceExecutor, ALostDeviceFailsEverythingAndIsReportedOnce) {
    FakeDevice device;
    device.fail_at = 12;
    int lost = 0;
    const auto engine =
        on_device(device, 256, Schedule::kContinuous, [&](const Error&) { ++lost; });
    std::size_t failed = 0;
    for (const Answer& answer : run(*engine, 20)) {
        failed += answer.finish == FinishReason::kFailed ? 1 : 0;
    }
    EXPECT_GT(failed, 8u);
    for (const Answer& answer : run(*engine, 3)) EXPECT_EQ(answer.finish, FinishReason::kFailed);
    EXPECT_EQ(lost, 1);
}

TEST(DeviceExecutor, TokenizerAndModelMustAgree) {
    FakeDevice device;
    TokenTable few;
    few.add("a", false);
    const auto made = DeviceExecutor::make(fake_decoder(device, 8), few, {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace heddle::engine
