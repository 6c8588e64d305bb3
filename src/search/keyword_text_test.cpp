#include "search/keyword_text.h"

#include <gtest/gtest.h>

#include "search/fusion.h"

namespace heddle::search {
namespace {

std::vector<std::string> texts(std::string_view question) {
    std::vector<std::string> out;
    for (const QueryTerm& term : query_terms(question)) out.push_back(term.text);
    return out;
}

TEST(KeywordText, LeavesWordsAlone) {
    EXPECT_EQ(keyword_text("The quick, brown fox."), "The quick, brown fox.");
    EXPECT_EQ(keyword_text("Zürich"), "Zürich");
}

TEST(KeywordText, PairsCharactersWhereNoSpacesAre) {
    EXPECT_EQ(keyword_text("東京都"), " 東京 京都  ");
    EXPECT_EQ(keyword_text("a 水 b"), "a  水  b");
    EXPECT_EQ(keyword_text("\xff"), "\xef\xbf\xbd") << "ill-formed bytes are replaced";
}

TEST(QueryTerms, DropsTheCommonestWordsUnlessThereAreNoOthers) {
    EXPECT_EQ(texts("What is the boundary layer of a wing?"),
              (std::vector<std::string>{"boundary", "layer", "wing"}));
    EXPECT_EQ(texts("to be or not to be"), (std::vector<std::string>{"to", "be", "or", "not"}));
}

TEST(QueryTerms, HoldNothingThatTheIndexCouldReadAsAnOperator) {
    EXPECT_EQ(texts("\"a\" OR b* NEAR(c) -d ^e:f \0 g'"),
              (std::vector<std::string>{"b", "near", "c", "d", "e", "f"}))
        << "the text ends at the zero byte of the literal";
    EXPECT_TRUE(query_terms("?!() \"").empty());
}

TEST(QueryTerms, PairsAndPrefixes) {
    EXPECT_EQ(texts("東京タワー"), (std::vector<std::string>{"東京", "京タ", "タワ", "ワー"}));
    const auto single = query_terms("水");
    ASSERT_EQ(single.size(), 1u);
    EXPECT_TRUE(single[0].prefix);
    EXPECT_EQ(texts("ＡＢＣ"), (std::vector<std::string>{"abc"})) << "wide letters are letters";
}

TEST(QueryTerms, AreBounded) {
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "word" + std::to_string(i) + " ";
    EXPECT_EQ(query_terms(many).size(), 64u);
}

TEST(Fusion, AddsReciprocalRanks) {
    const std::vector<RankedList> lists{{.chunks = {1, 2, 3}, .weight = 1},
                                        {.chunks = {3, 1}, .weight = 2}};
    const auto hits = fuse(lists, 60);
    ASSERT_EQ(hits.size(), 3u);
    EXPECT_EQ(hits[0].chunk, 3);
    EXPECT_DOUBLE_EQ(hits[0].score, 1.0 / 63 + 2.0 / 61);
    EXPECT_EQ(hits[1].chunk, 1);
    EXPECT_EQ(hits[2].chunk, 2);
}

TEST(Diversify, TakesTheBestThenWhatDiffers) {
    const std::vector<double> relevance{1.0, 0.99, 0.6};
    const auto alike = [](std::size_t a, std::size_t b) {
        return a + b == 1 ? 1.0F : 0.0F;  // the first two say the same
    };
    EXPECT_EQ(diversify(relevance, 2, 0.7, alike), (std::vector<std::size_t>{0, 2}));
    EXPECT_EQ(diversify(relevance, 3, 1.0, alike), (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_TRUE(diversify({}, 3, 0.7, alike).empty());
}

}  // namespace
}  // namespace heddle::search
