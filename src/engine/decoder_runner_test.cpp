// The whole engine over a tiny random Llama on the CPU backend.
#include "engine/decoder_runner.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "base/random.h"
#include "compute/backends.h"
#include "engine/engine.h"
#include "engine/grammar/grammar_cache.h"
#include "engine/thread_executor.h"
#include "model/golden_testing.h"

namespace heddle::engine {
namespace {

struct Options {
    std::size_t block_count = 64;
    bool prefix_cache = true;
    Schedule schedule = Schedule::kContinuous;
};

struct Answer {
    std::string text;
    std::vector<TokenId> tokens;
    FinishReason finish = FinishReason::kNone;
    std::optional<Error> error;
    TokenUsage usage;
};

class Waiting {
public:
    Sink sink() {
        return [state = state_](GenerationEvent event) {
            const std::lock_guard lock(state->mutex);
            state->answer.text += event.text;
            for (const auto& token : event.tokens) state->answer.tokens.push_back(token.token);
            if (event.finish != FinishReason::kNone) {
                state->answer.finish = event.finish;
                state->answer.error = event.error;
                state->answer.usage = event.usage;
                state->changed.notify_all();
            }
            return Appetite::kMore;
        };
    }
    Answer wait() {
        std::unique_lock lock(state_->mutex);
        state_->changed.wait(lock, [&] { return state_->answer.finish != FinishReason::kNone; });
        return state_->answer;
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        Answer answer;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

class CpuEngine : public ::testing::Test {
protected:
    void SetUp() override {
        golden_ = model::load_golden("llama");
        model::write_model(golden_, folder_);
        files_ = model::ModelFiles::open(folder_.path()).value();
        // One byte a token, the last one special: the text shows the tokens.
        const auto vocabulary = static_cast<std::size_t>(files_->config().vocabulary);
        for (std::size_t token = 0; token < vocabulary; ++token) {
            const bool byte = token < 128;
            tokens_.add(byte ? std::string(1, static_cast<char>(token)) : "", !byte);
        }
    }

    std::unique_ptr<Engine> engine(const Options& options = {}) {
        DecoderRunnerConfig config;
        config.decoder = {
            .rows_max = 32, .sequences_max = 8, .logit_rows_max = 8, .block_tokens = 16};
        config.block_count = static_cast<std::int64_t>(options.block_count);
        auto backend = compute::make_backend("cpu", {.threads = 1}).value();
        auto runner = DecoderRunner::load(std::move(backend), files_, config, tokens_);
        EXPECT_TRUE(runner.has_value()) << runner.error().message();
        EngineConfig engine_config;
        engine_config.scheduler = {.schedule = options.schedule,
                                   .block_tokens = 16,
                                   .block_count = options.block_count,
                                   .step_tokens = 32,
                                   .sequences_max = 8,
                                   .context_tokens_max = 128,
                                   .prefix_cache = options.prefix_cache,
                                   .static_batch = 4};
        engine_config.end_ids = {end_id()};
        return std::make_unique<Engine>(engine_config, tokens_,
                                        std::make_unique<ThreadExecutor>(std::move(*runner)));
    }

    TokenId end_id() const { return static_cast<TokenId>(files_->config().vocabulary - 1); }

    GenerationRequest ask(std::uint64_t seed) const {
        GenerationRequest request;
        Rng rng(seed);
        const std::size_t prompt = 1 + rng.below(50);
        for (std::size_t i = 0; i < prompt; ++i) {
            request.prompt.push_back(static_cast<TokenId>(
                rng.below(static_cast<std::uint64_t>(files_->config().vocabulary))));
        }
        request.tokens_max = 24;
        request.sampling.seed = seed;
        request.sampling.ignore_end = true;
        request.sampling.temperature = seed % 2 == 0 ? 0.0F : 1.0F;
        return request;
    }

    static Answer run(Engine& engine, GenerationRequest request) {
        Waiting waiting;
        const Generation generation = engine.submit(std::move(request), waiting.sink()).value();
        return waiting.wait();
    }

    void expect_same_together(const Options& options, std::size_t requests) {
        std::vector<std::vector<TokenId>> expected;
        {
            const auto single = engine({.prefix_cache = false});
            for (std::uint64_t seed = 0; seed < requests; ++seed) {
                expected.push_back(run(*single, ask(seed)).tokens);
            }
        }
        const auto together = engine(options);
        std::vector<Waiting> waiting(requests);
        std::vector<Generation> generations;
        for (std::uint64_t seed = 0; seed < requests; ++seed) {
            generations.push_back(together->submit(ask(seed), waiting[seed].sink()).value());
        }
        for (std::uint64_t seed = 0; seed < requests; ++seed) {
            EXPECT_EQ(waiting[seed].wait().tokens, expected[seed]) << "seed " << seed;
        }
        preemptions_ = together->stats().scheduler.preemptions;
    }

    model::Golden golden_;
    model::TemporaryFolder folder_;
    std::shared_ptr<const model::ModelFiles> files_;
    TokenTable tokens_;
    std::uint64_t preemptions_ = 0;
};

TEST_F(CpuEngine, GreedyAnswersAreTheModels) {
    const auto cpu = engine();
    for (std::size_t i = 0; i < golden_.prompts.size(); ++i) {
        GenerationRequest request;
        request.prompt = golden_.prompts[i];
        const std::size_t room = 128 - request.prompt.size();
        request.tokens_max = std::min(room, golden_.greedy[i].size());
        request.sampling.temperature = 0;
        request.sampling.ignore_end = true;
        auto expected = golden_.greedy[i];
        expected.resize(*request.tokens_max);
        EXPECT_EQ(run(*cpu, request).tokens, expected) << "prompt " << i;
    }
}

TEST_F(CpuEngine, ABatchGivesWhatEachGivesAlone) {
    expect_same_together({}, 16);
}

TEST_F(CpuEngine, PreemptionChangesNothing) {
    expect_same_together({.block_count = 9}, 16);
    EXPECT_GT(preemptions_, 0u);
}

TEST_F(CpuEngine, TheStaticScheduleGivesTheSame) {
    expect_same_together({.schedule = Schedule::kStatic}, 12);
}

TEST_F(CpuEngine, ThePrefixCacheChangesNothing) {
    const auto cpu = engine();
    GenerationRequest request = ask(7);
    request.prompt.resize(40, 3);
    const Answer first = run(*cpu, request);
    const Answer second = run(*cpu, request);
    EXPECT_EQ(first.usage.cached, 0u);
    EXPECT_EQ(second.usage.cached, 32u);
    EXPECT_EQ(first.tokens, second.tokens);
}

// The model is random: what is shown is that its text keeps to the constraint, not its sense.
TEST_F(CpuEngine, ConstrainedTextKeepsToItsGrammar) {
    const auto cpu = engine();
    grammar::GrammarCache cache;
    const auto schema = cache.get(grammar::GrammarKind::kJsonSchema,
                                  R"({"type":"object","properties":{"size":{"enum":["small","big"]},
            "count":{"type":"integer","minimum":1,"maximum":20}},
            "required":["size","count"],"additionalProperties":false})");
    ASSERT_TRUE(schema.has_value());
    const grammar::TokenTrie trie(tokens_);
    const auto machine = std::make_shared<grammar::Machine>(*schema, trie);
    int whole = 0;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        GenerationRequest request = ask(seed);
        request.sampling.ignore_end = false;
        request.sampling.temperature = 1;
        request.tokens_max = 70;
        request.grammar = *schema;
        const Answer answer = run(*cpu, request);
        ASSERT_FALSE(answer.error.has_value()) << answer.error->message();
        grammar::Matcher matcher(machine);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(answer.text.data());
        EXPECT_TRUE(matcher.accept_bytes({bytes, answer.text.size()})) << answer.text;
        if (answer.finish == FinishReason::kStop) {
            EXPECT_TRUE(matcher.is_whole()) << answer.text;
            ++whole;
        }
    }
    EXPECT_GT(whole, 0);
}

// A class without characters stands behind a text that may come: the answer fails, nothing else.
TEST_F(CpuEngine, AConstraintThatLeadsNowhereFailsItsOwnAnswer) {
    const auto cpu = engine();
    grammar::GrammarCache cache;
    const auto nowhere = cache.get(grammar::GrammarKind::kGbnf, "root ::= [a-z0-9 ] []\n");
    ASSERT_TRUE(nowhere.has_value()) << nowhere.error().message();
    GenerationRequest request = ask(1);
    request.sampling.ignore_end = false;
    request.grammar = *nowhere;
    const Answer answer = run(*cpu, request);
    ASSERT_TRUE(answer.error.has_value());
    EXPECT_EQ(answer.error->reason(), "constraint_unsatisfiable");
    EXPECT_FALSE(run(*cpu, ask(2)).error.has_value());
}

TEST_F(CpuEngine, AConstraintWithoutAnEndIsRefused) {
    const auto cpu = engine();
    GenerationRequest request = ask(1);
    request.grammar = std::make_shared<const grammar::Grammar>(grammar::any_json_object());
    const auto refused = cpu->submit(std::move(request), Waiting().sink());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().param(), "ignore_eos");
}

}  // namespace
}  // namespace heddle::engine
