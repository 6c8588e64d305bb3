#include "engine/prefix_cache.h"

#include <numeric>

#include <gtest/gtest.h>

namespace heddle::engine {
namespace {

std::vector<TokenId> tokens_from(TokenId first, std::size_t count) {
    std::vector<TokenId> tokens(count);
    std::iota(tokens.begin(), tokens.end(), first);
    return tokens;
}

TEST(BlockPool, KeepsReleasedContentUntilItNeedsTheRoom) {
    BlockPool pool(2);
    const BlockId a = pool.allocate();
    const BlockId b = pool.allocate();
    EXPECT_EQ(pool.available(), 0u);
    pool.release(a, true);
    pool.release(b, true);
    EXPECT_EQ(pool.kept(), 2u);
    pool.retain(a);
    EXPECT_EQ(pool.available(), 1u);
    const std::uint64_t before = pool.generation(b);
    EXPECT_EQ(pool.allocate(), b);
    EXPECT_NE(pool.generation(b), before);
    EXPECT_EQ(pool.in_use(), 2u);
}

class PrefixCacheTest : public ::testing::Test {
protected:
    // Publishes all full blocks of `tokens` and releases them.
    std::vector<BlockId> publish(std::string_view salt, const std::vector<TokenId>& tokens) {
        std::vector<BlockId> blocks;
        std::optional<BlockRef> parent;
        for (std::size_t at = 0; at + 4 <= tokens.size(); at += 4) {
            blocks.push_back(pool.allocate());
            parent = cache.publish(blocks.back(), parent, salt, std::span(tokens).subspan(at, 4));
        }
        for (auto at = blocks.rbegin(); at != blocks.rend(); ++at) {
            pool.release(*at, cache.is_published(*at));
        }
        return blocks;
    }

    BlockPool pool{8};
    PrefixCache cache{pool, 4};
};

TEST_F(PrefixCacheTest, FindsTheLongestRunOfFullBlocks) {
    const auto prompt = tokens_from(10, 12);
    const auto blocks = publish("tenant", prompt);
    EXPECT_EQ(cache.match("tenant", prompt), blocks);
    auto longer = prompt;
    longer[9] = 99;
    EXPECT_EQ(cache.match("tenant", longer).size(), 2u);
    EXPECT_EQ(cache.match("tenant", std::span(prompt).first(7)).size(), 1u);
}

TEST_F(PrefixCacheTest, SaltsDoNotShare) {
    const auto prompt = tokens_from(0, 8);
    publish("a", prompt);
    EXPECT_TRUE(cache.match("b", prompt).empty());
    EXPECT_TRUE(cache.match("", prompt).empty());
}

TEST_F(PrefixCacheTest, ABlockIsFoundOnlyBehindItsOwnParent) {
    const auto first = tokens_from(0, 8);
    publish("", first);
    std::vector<TokenId> second = tokens_from(50, 4);
    second.insert(second.end(), first.begin() + 4, first.end());
    publish("", std::vector<TokenId>(second.begin(), second.begin() + 4));
    EXPECT_EQ(cache.match("", second).size(), 1u);
}

TEST_F(PrefixCacheTest, EvictedBlocksAreNotFoundAndTailsGoFirst) {
    const auto prompt = tokens_from(0, 12);
    publish("", prompt);
    std::vector<BlockId> taken;
    for (int i = 0; i < 6; ++i) taken.push_back(pool.allocate());
    EXPECT_EQ(cache.match("", prompt).size(), 2u);
    taken.push_back(pool.allocate());
    taken.push_back(pool.allocate());
    EXPECT_TRUE(cache.match("", prompt).empty());
}

TEST_F(PrefixCacheTest, SameContentIsPublishedOnceAndItsChainContinues) {
    const auto prompt = tokens_from(0, 4);
    const auto next = tokens_from(4, 4);
    const BlockId original = pool.allocate();
    const BlockId twin = pool.allocate();
    const BlockId child = pool.allocate();
    cache.publish(original, std::nullopt, "", prompt);
    const auto parent = cache.publish(twin, std::nullopt, "", prompt);
    ASSERT_TRUE(parent.has_value());
    EXPECT_EQ(parent->block, original);
    EXPECT_FALSE(cache.is_published(twin));
    cache.publish(child, parent, "", next);
    EXPECT_EQ(cache.match("", tokens_from(0, 8)), (std::vector<BlockId>{original, child}));

    pool.release(original, false);
    (void)pool.allocate();
    EXPECT_EQ(cache.publish(pool.allocate(), parent, "", next), std::nullopt);
}

}  // namespace
}  // namespace heddle::engine
