#include "engine/sampler.h"

#include <cmath>
#include <limits>
#include <map>

#include <gtest/gtest.h>

namespace heddle::engine {
namespace {

const std::vector<float> kLogits{1.0F, 3.0F, 2.0F, -1.0F, 0.0F};

TokenId draw(const SamplingParams& params, std::uint64_t seed,
             const std::vector<TokenId>& answer = {}, const std::vector<TokenId>& prompt = {},
             std::vector<TokenId> ends = {}) {
    SamplerState state(params, seed, prompt, std::move(ends));
    for (const TokenId token : answer) state.append(token);
    std::vector<float> logits = kLogits;
    return Sampler().sample(logits, state).value().token;
}

std::map<TokenId, int> histogram(const SamplingParams& params) {
    std::map<TokenId, int> counts;
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) ++counts[draw(params, seed)];
    return counts;
}

TEST(Sampler, TemperatureZeroTakesTheLikeliest) {
    EXPECT_EQ(draw({.temperature = 0}, 1), 1);
}

TEST(Sampler, DrawsTheDistribution) {
    const auto counts = histogram({});
    double sum = 0;
    for (const float logit : kLogits) sum += std::exp(logit);
    for (std::size_t i = 0; i < kLogits.size(); ++i) {
        EXPECT_NEAR(counts.at(static_cast<TokenId>(i)) / 20'000.0, std::exp(kLogits[i]) / sum,
                    0.01);
    }
}

TEST(Sampler, FiltersKeepWhatTheyPromise) {
    const auto kept = [](const SamplingParams& params) {
        std::vector<TokenId> tokens;
        for (const auto& [token, count] : histogram(params)) tokens.push_back(token);
        return tokens;
    };
    // Probabilities of the tokens: 0.086, 0.636, 0.234, 0.012, 0.032; entropy 1.0.
    EXPECT_EQ(kept({.top_k = 2}), (std::vector<TokenId>{1, 2}));
    EXPECT_EQ(kept({.top_p = 0.6F}), (std::vector<TokenId>{1}));
    EXPECT_EQ(kept({.top_p = 0.7F}), (std::vector<TokenId>{1, 2}));
    EXPECT_EQ(kept({.top_p = 0}), (std::vector<TokenId>{1}));
    EXPECT_EQ(kept({.min_p = 0.1F}), (std::vector<TokenId>{0, 1, 2}));
    EXPECT_EQ(kept({.typical_p = 0.2F}), (std::vector<TokenId>{2}));
    EXPECT_EQ(kept({.typical_p = 0.5F}), (std::vector<TokenId>{1, 2}));
}

TEST(Sampler, PenaltiesAndBias) {
    SamplingParams params{.temperature = 0};
    params.frequency_penalty = 0.8F;
    EXPECT_EQ(draw(params, 0, {1}), 1);
    EXPECT_EQ(draw(params, 0, {1, 1}), 2);
    params = {.temperature = 0, .presence_penalty = 1.5F};
    EXPECT_EQ(draw(params, 0, {1}), 2);
    params = {.temperature = 0, .repetition_penalty = 2};
    EXPECT_EQ(draw(params, 0, {}, {1}), 2);
    params = {.temperature = 0, .logit_bias = {{3, 10.0F}}};
    EXPECT_EQ(draw(params, 0), 3);
}

TEST(Sampler, EndTokensWaitForTheMinimum) {
    const SamplingParams params{.temperature = 0, .tokens_min = 2};
    EXPECT_EQ(draw(params, 0, {4}, {}, {1}), 2);
    EXPECT_EQ(draw(params, 0, {4, 4}, {}, {1}), 1);
}

TEST(Sampler, AMaskIsNeverLeft) {
    grammar::TokenMask mask(kLogits.size());
    mask.set(3);
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SamplerState state({.logit_bias = {{1, 100.0F}}}, seed, {}, {});
        std::vector<float> logits = kLogits;
        EXPECT_EQ(Sampler().sample(logits, state, &mask).value().token, 3);
    }
    const grammar::TokenMask nothing(kLogits.size());
    SamplerState state({}, 0, {}, {});
    std::vector<float> logits = kLogits;
    EXPECT_FALSE(Sampler().sample(logits, state, &nothing).has_value());
}

TEST(Sampler, ReportsTheModelsOwnProbabilities) {
    const SamplingParams params{
        .temperature = 0, .logit_bias = {{3, 50.0F}}, .logprobs = true, .top_logprobs = 2};
    SamplerState state(params, 0, {}, {});
    std::vector<float> logits = kLogits;
    const Sample sample = Sampler().sample(logits, state).value();
    EXPECT_EQ(sample.token, 3);
    EXPECT_NEAR(sample.logprob, std::log(0.01166), 0.01);
    ASSERT_EQ(sample.top.size(), 2u);
    EXPECT_EQ(sample.top[0].token, 1);
    EXPECT_NEAR(sample.top[0].logprob, std::log(0.6364), 0.01);
}

TEST(Sampler, BrokenLogitsAreNeverChosen) {
    std::vector<float> logits{std::numeric_limits<float>::quiet_NaN(), 1,
                              std::numeric_limits<float>::infinity()};
    SamplerState state({.temperature = 0}, 0, {}, {});
    EXPECT_EQ(Sampler().sample(logits, state).value().token, 1);
    std::fill(logits.begin(), logits.end(), std::numeric_limits<float>::quiet_NaN());
    EXPECT_FALSE(Sampler().sample(logits, state).has_value());
}

TEST(SamplingParams, RangesAreChecked) {
    EXPECT_TRUE(validate({}, 10).has_value());
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const SamplingParams& params :
         std::initializer_list<SamplingParams>{{.temperature = -1},
                                               {.temperature = nan},
                                               {.top_k = -1},
                                               {.top_p = 1.1F},
                                               {.min_p = nan},
                                               {.typical_p = 2},
                                               {.repetition_penalty = 0},
                                               {.presence_penalty = 3},
                                               {.frequency_penalty = -3},
                                               {.logit_bias = {{10, 1.0F}}},
                                               {.logit_bias = {{-1, 1.0F}}},
                                               {.logit_bias = {{1, nan}}},
                                               {.top_logprobs = 21},
                                               {.stop_ids = {10}}}) {
        EXPECT_FALSE(validate(params, 10).has_value());
    }
}

}  // namespace
}  // namespace heddle::engine
