// Long texts and a model that is played by a function: every part is read, nothing is read past the
// window, and what comes back fits.
#include "service/long_text.h"

#include <gtest/gtest.h>

#include "service/answerer.h"

namespace heddle::service {
namespace {

using async::Task;

std::uint32_t words(std::string_view text) {
    std::uint32_t count = 0;
    bool inside = false;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\n';
        if (!space && !inside) ++count;
        inside = !space;
    }
    return count;
}

// Answers each window with the numbers that stand in it: a summary that can be checked.
class NumberKeeper final : public Generator {
public:
    [[nodiscard]] std::vector<ModelInfo> models() const override {
        return {{.id = "keeper", .owned_by = "test", .context_tokens = window}};
    }
    Task<Result<Completion>> generate(GenerateRequest request,
                                      std::shared_ptr<TextStream> out) override {
        ++calls;
        const std::string text = request.messages.back().content;
        std::uint32_t whole = 0;
        for (const Message& message : request.messages) whole += words(message.content);
        longest = std::max(longest, whole);
        std::string numbers;
        for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#', at + 1))
            numbers += text.substr(at, text.find(' ', at) - at) + " ";
        (void)co_await out->push({.text = "Kept: " + numbers});
        last = request;
        if (failure) co_return fail(*failure);
        co_return Completion{FinishReason::kStop, {1, 1}};
    }
    [[nodiscard]] std::uint32_t count_tokens(const std::string&,
                                             std::string_view text) const override {
        return words(text);
    }

    std::uint32_t window = 1000;
    int calls = 0;
    std::uint32_t longest = 0;
    std::optional<Error> failure;
    GenerateRequest last;
};

std::string long_text(int paragraphs) {
    std::string text;
    for (int i = 0; i < paragraphs; ++i) {
        text += "Section #" + std::to_string(i) + " tells of the loom.";
        for (int word = 0; word < 60; ++word) text += " thread";
        text += ".\n\n";
    }
    return text;
}

TEST(LongText, KnowsQuestionsAboutTheWhole) {
    for (const char* question :
         {"Summarize the report", "Give me an OVERVIEW", "What are the key points?",
          "Fasse das Dokument zusammen: Zusammenfassung", "Résumé du texte", "请总结这份文件"})
        EXPECT_TRUE(asks_for_the_whole(question)) << question;
    for (const char* question : {"When does the pump start?", "What is the warranty?", ""})
        EXPECT_FALSE(asks_for_the_whole(question)) << question;
}

TEST(LongText, WindowsCoverTheTextAndKeepTheirSize) {
    const std::string text = long_text(40) + std::string(3'000, 'x') + " größer é " + long_text(3);
    for (const std::uint32_t size : {5U, 70U, 500U}) {
        const auto windows = windows_of(text, size, words);
        ASSERT_FALSE(windows.empty());
        const char* covered = text.data();
        for (const std::string_view window : windows) {
            EXPECT_LE(words(window), size);
            EXPECT_LE(window.data(), covered);
            EXPECT_GT(window.data() + window.size(), covered);
            covered = window.data() + window.size();
        }
        EXPECT_EQ(covered, text.data() + text.size());
    }
    EXPECT_EQ(windows_of("short", 10, words).size(), 1U);
    EXPECT_TRUE(windows_of("", 10, words).empty());
}

class SummariseTest : public testing::Test {
protected:
    Result<std::string> run(std::string text, std::uint32_t tokens_max,
                            LongTextOptions options = {}) {
        Summariser summariser{.choice = {keeper_, keeper_->models().front()},
                              .owner = "anna",
                              .question = "Summarise it",
                              .context_tokens = keeper_->window,
                              .options = options};
        return runtime_.run(
            summarise(std::move(summariser), std::move(text), tokens_max, runtime_.workers()));
    }
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    std::shared_ptr<NumberKeeper> keeper_ = std::make_shared<NumberKeeper>();
};

TEST_F(SummariseTest, EveryPartIsRead) {
    const auto summary = run(long_text(100), 200);
    ASSERT_TRUE(summary) << summary.error().message();
    EXPECT_GT(keeper_->calls, 8);
    EXPECT_LE(keeper_->longest, keeper_->window);
    for (int i = 0; i < 100; ++i)
        EXPECT_NE(summary->find("#" + std::to_string(i) + " "), std::string::npos) << i;
    EXPECT_LE(words(*summary), 200U);
    EXPECT_EQ(keeper_->last.owner, "anna");
}

TEST_F(SummariseTest, WhatFitsIsLeftAsItIs) {
    EXPECT_EQ(run("a short text", 200).value(), "a short text");
    EXPECT_EQ(keeper_->calls, 0);
}

TEST_F(SummariseTest, TheModelsTimeIsBounded) {
    const auto summary = run(long_text(2'000), 100, {.windows_max = 6, .rounds_max = 2});
    ASSERT_TRUE(summary);
    EXPECT_LE(keeper_->calls, 12);
}

TEST_F(SummariseTest, AFailureOfTheModelIsAFailure) {
    keeper_->failure = Error(ErrorCode::kUpstream, "broke off");
    const auto summary = run(long_text(50), 100);
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code(), ErrorCode::kUpstream);
}

// The whole way: a question about the whole takes the best passage's document, the model reads it
// window by window, and answers over the summaries.
TEST_F(SummariseTest, AnAnswerIsWrittenOverTheWholeDocument) {
    GroundingSources sources;
    sources.passages = [](std::string, std::string,
                          GroundingOptions) -> Task<Result<std::vector<GroundedText>>> {
        GroundedText passage;
        passage.source.document = "DOC";
        passage.source.title = "loom.pdf";
        passage.text = "Section #7 tells of the loom.";
        std::vector<GroundedText> both{passage, passage};
        co_return both;
    };
    sources.whole_document = [](std::string owner, std::string collection,
                                Source source) -> Task<Result<GroundedText>> {
        EXPECT_EQ(owner, "anna");
        EXPECT_EQ(collection, "knowledgebase");
        GroundedText whole{.source = std::move(source), .text = long_text(100)};
        co_return whole;
    };
    Answerer answerer(
        std::make_shared<Generators>(std::vector<std::shared_ptr<Generator>>{keeper_}), sources,
        runtime_.workers(), {}, Metrics::none());
    AnswerRequest request{.owner = "anna", .messages = {{Role::kUser, "Summarise the report"}}};
    const auto ask = [](Answerer* a, AnswerRequest r) -> Task<std::size_t> {
        using namespace boost::asio::experimental::awaitable_operators;
        const auto stream = std::make_shared<AnswerStream>(4);
        const auto drain = [](std::shared_ptr<AnswerStream> s) -> Task<std::size_t> {
            std::size_t sources = 0;
            while (auto event = co_await s->next()) {
                if (const auto* found = std::get_if<SourcesEvent>(&*event))
                    sources = found->sources.size();
            }
            co_return sources;
        };
        co_return co_await (a->answer(std::move(r), stream) && drain(stream));
    };
    EXPECT_EQ(runtime_.run(ask(&answerer, std::move(request))), 1U);
    const std::string& asked = keeper_->last.messages.back().content;
    EXPECT_NE(asked.find("<source n=\"1\" title=\"loom.pdf\""), std::string::npos);
    EXPECT_NE(asked.find("#0 "), std::string::npos);
    EXPECT_NE(asked.find("#99 "), std::string::npos);
    EXPECT_EQ(asked.find("thread thread"), std::string::npos) << "only summaries are left";
}

}  // namespace
}  // namespace heddle::service
