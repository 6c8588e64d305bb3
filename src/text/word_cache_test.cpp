#include "text/word_cache.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace heddle::text {
namespace {

TEST(WordCache, GivesBackWhatWasKept) {
    const WordCache cache;
    std::array<WordPart, WordCache::kPartsMax> parts;
    EXPECT_EQ(cache.find("word", parts), 0u);
    const WordPart kept[] = {{7, 1}, {0, 2}, {1'000'000'000, 1}};
    cache.keep("word", kept);
    ASSERT_EQ(cache.find("word", parts), 3u);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(parts[i].id, kept[i].id);
        EXPECT_EQ(parts[i].bytes, kept[i].bytes);
    }
    EXPECT_EQ(cache.find("wor", parts), 0u);
    EXPECT_EQ(cache.find(std::string("word\0", 5), parts), 0u) << "padding is no content";
    cache.keep(std::string(25, 'x'), kept);
    EXPECT_EQ(cache.find(std::string(25, 'x'), parts), 0u) << "too long to be kept";
    EXPECT_EQ(cache.find("", parts), 0u);
}

// Threads overwrite each other's entries; what is found is always what belongs to the word.
TEST(WordCache, IsNeverWrongUnderContention) {
    const WordCache cache;
    const auto value_of = [](int i) { return static_cast<TokenId>(i * 3 + 1); };
    const auto work = [&](int first) {
        std::array<WordPart, WordCache::kPartsMax> parts;
        for (int round = 0; round < 40'000; ++round) {
            const int i = (first + round * 7) % 20'000;
            const std::string word = "w" + std::to_string(i);
            const std::size_t count = cache.find(word, parts);
            if (count > 0) {
                ASSERT_EQ(count, 1u);
                ASSERT_EQ(parts[0].id, value_of(i));
                continue;
            }
            const WordPart part{value_of(i), static_cast<std::uint8_t>(word.size())};
            cache.keep(word, {&part, 1});
        }
    };
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) threads.emplace_back(work, t * 11);
}

}  // namespace
}  // namespace heddle::text
