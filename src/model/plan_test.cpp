#include "model/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heddle::model {
namespace {

// Llama-3.1-8B: 32 layers, 8 key heads of 128.
ModelConfig llama_8b() {
    ModelConfig config;
    config.layers = 32;
    config.heads = 32;
    config.kv_heads = 8;
    config.head_dim = 128;
    config.context = 131'072;
    return config;
}

TEST(Plan, CountsWhatFitsBesideTheWeights) {
    const std::uint64_t gib = std::uint64_t{1} << 30;
    const auto plan = plan_memory(llama_8b(), {.memory_bytes = 40 * gib,
                                               .weight_bytes = 16 * gib,
                                               .overhead_bytes = 0,
                                               .lengths = {1, 512, 131'072, 1 << 20}});
    ASSERT_TRUE(plan.has_value()) << plan.error().message();
    EXPECT_EQ(plan->kv_bytes_per_token, 131'072U);  // 2 * 32 * 8 * 128 * 2 bytes
    EXPECT_EQ(plan->kv_bytes, 24 * gib);
    EXPECT_EQ(plan->tokens, 196'608);
    ASSERT_EQ(plan->rows.size(), 3U);  // the last is beyond the context
    EXPECT_EQ(plan->rows[0].paged, plan->blocks);
    EXPECT_EQ(plan->rows[1].paged, 384);
    EXPECT_EQ(plan->rows[1].reserved, 1);
    EXPECT_EQ(plan->rows[2].paged, 1);
}

TEST(Plan, RefusesWhatDoesNotFit) {
    EXPECT_FALSE(plan_memory(llama_8b(), {.memory_bytes = 100, .weight_bytes = 200}).has_value());
    EXPECT_FALSE(
        plan_memory(llama_8b(),
                    {.memory_bytes = 1000, .weight_bytes = ~std::uint64_t{0}, .overhead_bytes = 5})
            .has_value());
    EXPECT_FALSE(plan_memory(llama_8b(), {.memory_bytes = 1 << 30, .block_tokens = 0}).has_value());
}

}  // namespace
}  // namespace heddle::model
