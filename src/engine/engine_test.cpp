#include "engine/engine.h"

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>

#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/paged_runner_testing.h"
#include "engine/thread_executor.h"

namespace heddle::engine {
namespace {

// What a request gave, gathered on the engine thread.
class Reader {
public:
    Sink sink() {
        return [state = state_](GenerationEvent event) {
            const std::lock_guard lock(state->mutex);
            Answer& answer = state->answers[event.answer];
            answer.text += event.text;
            for (auto& token : event.tokens) answer.tokens.push_back(std::move(token));
            answer.events += 1;
            if (event.finish != FinishReason::kNone) {
                answer.finish = event.finish;
                answer.stop = event.stop;
                answer.error = event.error;
                answer.usage = event.usage;
                ++state->ended;
                state->changed.notify_all();
            }
            return Appetite::kMore;
        };
    }
    struct Answer {
        std::string text;
        std::vector<GeneratedToken> tokens;
        FinishReason finish = FinishReason::kNone;
        std::string stop;
        std::optional<Error> error;
        TokenUsage usage;
        int events = 0;
    };
    std::map<std::uint32_t, Answer> wait(std::size_t answers = 1) {
        std::unique_lock lock(state_->mutex);
        state_->changed.wait(lock, [&] { return state_->ended >= answers; });
        return state_->answers;
    }
    Answer only() { return wait().at(0); }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::map<std::uint32_t, Answer> answers;
        std::size_t ended = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct Options {
    std::size_t block_count = 64;
    bool prefix_cache = true;
    Schedule schedule = Schedule::kContinuous;
    QueueLimits queue = {.requests_max = 100'000, .tokens_max = 10'000'000};
    std::function<void(const StepPlan&)> before;
};

std::unique_ptr<Engine> make_engine(const Options& setup = {},
                                    const Clock& clock = Clock::system()) {
    EngineConfig config;
    config.scheduler = {.schedule = setup.schedule,
                        .block_tokens = 4,
                        .block_count = setup.block_count,
                        .step_tokens = 24,
                        .sequences_max = 8,
                        .context_tokens_max = 128,
                        .prefix_cache = setup.prefix_cache,
                        .static_batch = 4};
    config.queue = setup.queue;
    config.end_ids = {0};
    auto runner = std::make_unique<PagedRunner>(PagedRunnerConfig{
        .block_tokens = 4, .block_count = setup.block_count, .before = setup.before});
    return std::make_unique<Engine>(config, test_tokens(),
                                    std::make_unique<ThreadExecutor>(std::move(runner)), clock);
}

GenerationRequest ask(std::uint64_t seed, std::size_t tokens_max = 30) {
    GenerationRequest request;
    Rng rng(seed);
    const std::size_t prompt = 1 + rng.below(40);
    for (std::size_t i = 0; i < prompt; ++i) {
        request.prompt.push_back(static_cast<TokenId>(2 + rng.below(62)));
    }
    request.tokens_max = tokens_max;
    request.sampling.seed = seed;
    request.sampling.ignore_end = true;
    request.key = "key" + std::to_string(seed % 3);
    return request;
}

std::string alone(const Options& setup, const GenerationRequest& request) {
    const auto engine = make_engine(setup);
    Reader reader;
    const Generation generation = engine->submit(request, reader.sink()).value();
    return reader.only().text;
}

void expect_no_blocks_in_use(const Engine& engine) {
    const auto is_busy = [&] {
        const auto stats = engine.stats();
        return stats.scheduler.blocks_in_use > 0 || stats.queued > 0;
    };
    for (int i = 0; i < 500 && is_busy(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(engine.stats().scheduler.blocks_in_use, 0u);
    EXPECT_EQ(engine.stats().queued, 0u);
}

// The same requests together must give what each gives alone.
void expect_same_together(const Options& setup, std::size_t requests) {
    std::vector<std::string> expected;
    for (std::uint64_t seed = 0; seed < requests; ++seed) {
        expected.push_back(alone({.prefix_cache = false}, ask(seed)));
    }
    const auto engine = make_engine(setup);
    std::vector<Reader> readers(requests);
    std::vector<Generation> generations;
    for (std::uint64_t seed = 0; seed < requests; ++seed) {
        generations.push_back(engine->submit(ask(seed), readers[seed].sink()).value());
    }
    for (std::uint64_t seed = 0; seed < requests; ++seed) {
        EXPECT_EQ(readers[seed].only().text, expected[seed]) << "seed " << seed;
    }
    expect_no_blocks_in_use(*engine);
}

TEST(Engine, AnswersDoNotDependOnTheBatch) {
    expect_same_together({}, 40);
}

TEST(Engine, AnswersDoNotDependOnTheSchedule) {
    expect_same_together({.schedule = Schedule::kStatic}, 20);
}

TEST(Engine, AnswersDoNotDependOnPreemption) {
    const Options tight{.block_count = 34};
    expect_same_together(tight, 40);
    const auto engine = make_engine(tight);
    std::vector<Reader> readers(12);
    std::vector<Generation> generations;
    for (std::uint64_t seed = 0; seed < readers.size(); ++seed) {
        generations.push_back(engine->submit(ask(seed, 80), readers[seed].sink()).value());
    }
    for (Reader& reader : readers) reader.wait();
    EXPECT_GT(engine->stats().scheduler.preemptions, 0u);
}

TEST(Engine, AnswersDoNotDependOnThePrefixCache) {
    const auto engine = make_engine();
    const GenerationRequest request = ask(39);
    const std::string expected = alone({.prefix_cache = false}, request);
    for (int round = 0; round < 3; ++round) {
        Reader reader;
        const Generation generation = engine->submit(request, reader.sink()).value();
        const auto answer = reader.only();
        EXPECT_EQ(answer.text, expected);
        EXPECT_EQ(answer.usage.cached, round == 0 ? 0 : (request.prompt.size() - 1) / 4 * 4);
    }
    GenerationRequest other = request;
    other.key = "somebody else";
    Reader reader;
    const Generation generation = engine->submit(other, reader.sink()).value();
    EXPECT_EQ(reader.only().usage.cached, 0u);
}

TEST(Engine, SeveralAnswersDifferAndTheFirstIsThatOfOne) {
    GenerationRequest request = ask(7);
    const std::string single = alone({}, request);
    request.answers = 3;
    const auto engine = make_engine();
    Reader reader;
    const Generation generation = engine->submit(request, reader.sink()).value();
    const auto answers = reader.wait(3);
    EXPECT_EQ(answers.at(0).text, single);
    EXPECT_NE(answers.at(1).text, single);
    EXPECT_NE(answers.at(1).text, answers.at(2).text);
}

TEST(Engine, StopsAtStringsIdsAndTheEndToken) {
    GenerationRequest request = ask(11);
    request.sampling.temperature = 0;
    const std::string text = alone({}, request);
    const auto engine = make_engine();

    GenerationRequest stopped = request;
    stopped.stops = {text.substr(5, 3)};
    Reader at_string;
    Generation generation = engine->submit(stopped, at_string.sink()).value();
    EXPECT_EQ(at_string.only().text, text.substr(0, text.find(stopped.stops[0])));
    EXPECT_EQ(at_string.only().stop, stopped.stops[0]);
    EXPECT_EQ(at_string.only().finish, FinishReason::kStop);

    const auto id = static_cast<TokenId>(text[4] - 58);
    stopped = request;
    stopped.sampling.stop_ids = {id};
    Reader at_id;
    generation = engine->submit(stopped, at_id.sink()).value();
    EXPECT_EQ(at_id.only().text, text.substr(0, text.find(text[4])));

    stopped = request;
    stopped.sampling.ignore_end = false;
    stopped.sampling.logit_bias = {{0, 100.0F}};
    stopped.sampling.tokens_min = 3;
    Reader at_end;
    generation = engine->submit(stopped, at_end.sink()).value();
    EXPECT_EQ(at_end.only().text, text.substr(0, 3));
    EXPECT_EQ(at_end.only().usage.generated, 4u);
}

TEST(Engine, EchoesAndReportsLogprobs) {
    const auto engine = make_engine();
    GenerationRequest request = ask(5);
    const std::string text = alone({}, request);
    request.echo = true;
    Reader echoing;
    Generation generation = engine->submit(request, echoing.sink()).value();
    std::string prompt;
    for (const TokenId token : request.prompt) prompt += test_tokens().bytes(token);
    EXPECT_EQ(echoing.only().text, prompt + text);

    request = ask(5);
    request.sampling.logprobs = true;
    request.sampling.top_logprobs = 2;
    Reader reader;
    generation = engine->submit(request, reader.sink()).value();
    const auto answer = reader.only();
    ASSERT_EQ(answer.tokens.size(), 30u);
    EXPECT_EQ(answer.tokens[0].top.size(), 2u);
    EXPECT_LE(answer.tokens[0].logprob, answer.tokens[0].top[0].logprob);
}

TEST(Engine, RefusesWhatIsMalformedOrTooLong) {
    const auto engine = make_engine();
    const auto reason = [&](auto change) {
        GenerationRequest request = ask(1);
        change(request);
        const auto refused = engine->submit(std::move(request), Reader().sink());
        return refused ? "accepted" : refused.error().param() + refused.error().reason();
    };
    EXPECT_EQ(reason([](auto& r) { r.prompt.clear(); }), "prompt");
    EXPECT_EQ(reason([](auto& r) { r.prompt[0] = 64; }), "prompt");
    EXPECT_EQ(reason([](auto& r) { r.prompt[0] = -1; }), "prompt");
    EXPECT_EQ(reason([](auto& r) { r.answers = 0; }), "n");
    EXPECT_EQ(reason([](auto& r) { r.answers = 1'000'000; }), "n");
    EXPECT_EQ(reason([](auto& r) { r.stops = {""}; }), "stop");
    EXPECT_EQ(reason([](auto& r) { r.stops = {"a", "b", "c", "d", "e"}; }), "stop");
    EXPECT_EQ(reason([](auto& r) { r.tokens_max = 0; }), "max_tokens");
    EXPECT_EQ(reason([](auto& r) { r.tokens_max = 128; }), "promptcontext_length_exceeded");
    EXPECT_EQ(reason([](auto& r) { r.prompt.assign(128, 5); }), "promptcontext_length_exceeded");
    EXPECT_EQ(reason([](auto& r) { r.sampling.temperature = 3; }), "temperature");
}

TEST(Engine, AFullQueueRefusesAndSaysWhoseFaultItIs) {
    std::mutex gate;
    const Options setup{.queue = {.requests_max = 10, .tokens_max = 100'000},
                        .before = [&](const StepPlan&) { const std::lock_guard wait(gate); }};
    std::unique_lock closed(gate);
    const auto engine = make_engine(setup);
    std::vector<Generation> generations;
    const auto submit = [&](const std::string& key) {
        GenerationRequest request = ask(1);
        request.key = key;
        auto generation = engine->submit(std::move(request), Reader().sink());
        if (!generation) return generation.error().code();
        generations.push_back(std::move(*generation));
        return ErrorCode::kInternal;
    };
    // The engine takes a first batch out of the queue and then hangs at the gate: until that is
    // done a refusal may still be followed by room.
    int refusals = 0;
    while (refusals < 5) {
        const ErrorCode code = submit("greedy");
        if (code == ErrorCode::kInternal) continue;
        EXPECT_EQ(code, ErrorCode::kRateLimited);
        ++refusals;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(submit("newcomer"), ErrorCode::kUnavailable);
    closed.unlock();
    generations.clear();
    expect_no_blocks_in_use(*engine);
}

TEST(Engine, AFailedStepEndsItsSequencesAndNothingElse) {
    std::atomic<int> failures{0};
    const Options setup{.before = [&](const StepPlan& plan) {
        for (const TokenId token : plan.tokens) {
            if (token == 63) {
                ++failures;
                throw std::runtime_error("a device error");
            }
        }
    }};
    const auto engine = make_engine(setup);
    GenerationRequest poison = ask(3);
    poison.prompt = {63};
    Reader failing;
    Generation generation = engine->submit(poison, failing.sink()).value();
    EXPECT_EQ(failing.only().finish, FinishReason::kFailed);
    ASSERT_TRUE(failing.only().error.has_value());
    EXPECT_EQ(failing.only().error->code(), ErrorCode::kInternal);
    EXPECT_GT(failures, 0);

    GenerationRequest fine = ask(4);
    fine.sampling.temperature = 0;
    fine.sampling.logit_bias = {{63, -100.0F}};
    fine.prompt = {5, 6, 7};
    Reader reader;
    generation = engine->submit(fine, reader.sink()).value();
    EXPECT_EQ(reader.only().finish, FinishReason::kLength);
    expect_no_blocks_in_use(*engine);
}

TEST(Engine, AReaderThatIsBehindPausesItsAnswerOnly) {
    const auto engine = make_engine();
    const std::string expected = alone({}, ask(2));
    auto events = std::make_shared<std::atomic<int>>(0);
    auto text = std::make_shared<std::string>();
    auto done = std::make_shared<std::atomic<bool>>(false);
    Generation slow = engine
                          ->submit(ask(2),
                                   [=](GenerationEvent event) {
                                       *text += event.text;
                                       if (event.finish != FinishReason::kNone) *done = true;
                                       return ++*events == 3 ? Appetite::kEnough : Appetite::kMore;
                                   })
                          .value();
    for (int i = 0; i < 5; ++i) {
        Reader reader;
        const Generation other = engine->submit(ask(2), reader.sink()).value();
        EXPECT_EQ(reader.only().text, expected);
    }
    // One or two tokens were in flight when the reader said that it had enough.
    EXPECT_FALSE(done->load());
    EXPECT_LE(events->load(), 5);
    slow.resume();
    while (!done->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(*text, expected);
}

TEST(Engine, DeadlinesEndAnswersWithAnError) {
    const auto engine = make_engine();
    GenerationRequest request = ask(1, 80);
    request.deadline = Clock::system().steady();
    Reader reader;
    const Generation generation = engine->submit(request, reader.sink()).value();
    EXPECT_EQ(reader.only().finish, FinishReason::kDeadline);
    EXPECT_EQ(reader.only().error->code(), ErrorCode::kDeadlineExceeded);
}

TEST(Engine, HealthIsTheStepLoopMoving) {
    FakeClock clock;
    std::mutex gate;
    const auto engine =
        make_engine({.before = [&](const StepPlan&) { const std::lock_guard wait(gate); }}, clock);
    clock.advance(std::chrono::hours(1));
    EXPECT_TRUE(engine->healthy());
    std::unique_lock closed(gate);
    Reader reader;
    const Generation generation = engine->submit(ask(1), reader.sink()).value();
    while (engine->stats().queued > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(engine->healthy());
    clock.advance(std::chrono::seconds(61));
    EXPECT_FALSE(engine->healthy());
    closed.unlock();
    reader.wait();
    while (!engine->healthy()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(Engine, DrainingRefusesAndStoppingCancels) {
    auto engine = make_engine();
    Reader reader;
    const Generation running = engine->submit(ask(1, 80), reader.sink()).value();
    engine->drain();
    EXPECT_EQ(engine->submit(ask(2), Reader().sink()).error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(reader.only().finish, FinishReason::kLength);
}

// 10,000 requests are cancelled at random points between streams that nobody disturbs.
TEST(Engine, TenThousandCancelsLeaveNothingAndChangeNothing) {
    constexpr std::uint64_t kSeed = 2026;
    constexpr std::size_t kUndisturbed = 20;
    constexpr int kCancelled = 10'000;
    std::vector<std::string> expected;
    for (std::uint64_t seed = 0; seed < kUndisturbed; ++seed) {
        expected.push_back(alone({}, ask(seed, 60)));
    }
    const auto engine = make_engine({.block_count = 48});
    Rng rng(kSeed);
    int cancelled = 0;
    std::size_t next = 0;
    std::vector<Reader> readers(kUndisturbed);
    std::vector<Generation> kept;
    std::vector<Generation> doomed;
    while (cancelled < kCancelled) {
        if (next < kUndisturbed && rng.below(200) == 0) {
            kept.push_back(engine->submit(ask(next, 60), readers[next].sink()).value());
            ++next;
        }
        if (doomed.size() < 12) {
            GenerationRequest request = ask(1000 + rng.below(50), 1 + rng.below(60));
            request.answers = rng.below(10) == 0 ? 2 : 1;
            doomed.push_back(
                engine->submit(std::move(request), [](auto) { return Appetite::kMore; }).value());
        }
        if (rng.below(8) == 0) std::this_thread::yield();
        if (rng.below(3) != 0) {
            const std::size_t at = rng.below(doomed.size());
            std::swap(doomed[at], doomed.back());
            doomed.pop_back();
            ++cancelled;
        }
        if (rng.below(64) == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    doomed.clear();
    for (; next < kUndisturbed; ++next) {
        kept.push_back(engine->submit(ask(next, 60), readers[next].sink()).value());
    }
    for (std::size_t i = 0; i < kUndisturbed; ++i) {
        EXPECT_EQ(readers[i].only().text, expected[i]) << "seed " << kSeed << ", stream " << i;
    }
    expect_no_blocks_in_use(*engine);
}

}  // namespace
}  // namespace heddle::engine
