// The reranker over a tiny random cross-encoder: that pairs are put together, cut and scored as the
// model alone would, not how well it judges.
#include "service/local_reranker.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "model/golden_testing.h"

namespace heddle::service {
namespace {

class LocalRerankerTest : public testing::Test {
protected:
    void SetUp() override {
        model::Golden golden = model::load_golden("bert_reranker");
        const std::string stated = "\"vocab_size\":320";
        golden.config.replace(golden.config.find(stated), stated.size(), "\"vocab_size\":640");
        for (auto& tensor : golden.tensors)
            if (tensor.name.ends_with("word_embeddings.weight")) tensor.shape[0] = 640;
        model::write_model(golden, folder_);
        std::ifstream file(std::string(HEDDLE_SOURCE_DIR) +
                           "/tests/golden/text/wordpiece.tokenizer.json");
        std::stringstream tokenizer;
        tokenizer << file.rdbuf();
        folder_.write("tokenizer.json", tokenizer.str());
        auto loaded = LocalReranker::load(
            {.folder = folder_.path().string(), .name = "judge", .tokens_per_step = 64},
            runtime_.workers(), Metrics::none());
        ASSERT_TRUE(loaded) << loaded.error().message();
        reranker_ = *loaded;
    }
    std::vector<float> score(std::string question, std::vector<std::string> passages) {
        const auto scores =
            runtime_.run(reranker_->score(std::move(question), std::move(passages)));
        EXPECT_TRUE(scores) << scores.error().message();
        return scores ? *scores : std::vector<float>();
    }

    model::TemporaryFolder folder_;
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    std::shared_ptr<LocalReranker> reranker_;
};

TEST_F(LocalRerankerTest, AScoreDependsOnItsPairAlone) {
    const auto together = score("the pump", {"starts at noon", "valves are blue", "x", ""});
    ASSERT_EQ(together.size(), 4u);
    EXPECT_EQ(score("the pump", {"valves are blue"})[0], together[1]);
    EXPECT_NE(together[0], together[1]);
    EXPECT_NE(score("the valve", {"starts at noon"})[0], together[0]);
}

TEST_F(LocalRerankerTest, WhatIsTooLongIsJudgedByItsBeginning) {
    std::string passage;
    for (int i = 0; i < 200; ++i) passage += "word ";
    const auto scores = score("the pump", {passage, passage + "and more", "word"});
    EXPECT_EQ(scores[0], scores[1]);
    EXPECT_NE(scores[0], scores[2]);
    EXPECT_EQ(score(passage, {"noon"})[0], score(passage + "and more", {"noon"})[0]);
    EXPECT_TRUE(score("the pump", {}).empty());
}

TEST_F(LocalRerankerTest, CountsWhatItReads) {
    const auto pairs =
        runtime_.run(reranker_->score_pairs("the pump", {"starts at noon", "starts at noon"}));
    ASSERT_TRUE(pairs);
    EXPECT_EQ(pairs->tokens % 2, 0u);
    EXPECT_GT(pairs->tokens, 10u);
}

}  // namespace
}  // namespace heddle::service
