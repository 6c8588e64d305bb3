// The client against a server that behaves, is slow, refuses, lies and breaks off.
#include "upstream/openai_client.h"

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "upstream/scripted_server_testing.h"

namespace heddle::upstream {
namespace {

using namespace std::chrono_literals;
using async::Task;

struct Outcome {
    Result<ChatResult> result;
    std::string text;
};

class OpenAiClientTest : public testing::Test {
protected:
    static void SetUpTestSuite() { server_ = new ScriptedServer(); }
    static void TearDownTestSuite() { delete std::exchange(server_, nullptr); }

    std::shared_ptr<OpenAiClient> client(UpstreamOptions options = {}) {
        if (options.base_url.empty()) options.base_url = server_->base_url();
        options.retry_delay = 5ms;
        return *OpenAiClient::create(options, http_);
    }

    static Task<bool> append(std::shared_ptr<std::string> text, ChoicePiece piece) {
        *text += piece.text;
        co_return true;
    }
    static Task<Outcome> chat(std::shared_ptr<OpenAiClient> client, ChatCall call,
                              async::Deadline deadline) {
        const auto text = std::make_shared<std::string>();
        const PieceSink sink = [text](ChoicePiece piece) { return append(text, std::move(piece)); };
        auto result = co_await client->chat(std::move(call), sink, deadline);
        co_return Outcome{std::move(result), *text};
    }
    Outcome ask(const std::string& model, const std::string& prompt = "why?",
                UpstreamOptions options = {},
                async::Deadline deadline = async::Deadline::after(20s)) {
        ChatCall call;
        call.model = model;
        call.messages = {{"user", prompt}};
        return runtime_.run(chat(client(std::move(options)), std::move(call), deadline));
    }

    static inline ScriptedServer* server_ = nullptr;
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    std::shared_ptr<http::Client> http_ = std::make_shared<http::Client>(http::ClientOptions{});
};

TEST_F(OpenAiClientTest, StreamsTextAndUsage) {
    const Outcome outcome = ask("scripted");
    ASSERT_TRUE(outcome.result) << outcome.result.error().message();
    EXPECT_EQ(outcome.text, "You asked: why?");
    EXPECT_EQ(outcome.result->finish_reason, "stop");
    EXPECT_EQ(outcome.result->usage.completion_tokens, 3u);
}

TEST_F(OpenAiClientTest, TakesAPlainAnswerFromAServerThatDoesNotStream) {
    const Outcome outcome = ask("plain");
    ASSERT_TRUE(outcome.result);
    EXPECT_EQ(outcome.text, "You asked: why?");
}

TEST_F(OpenAiClientTest, RetriesUntilTheServerIsReadyButNotForEver) {
    EXPECT_EQ(ask("flaky-2", "twice").text, "You asked: twice");
    EXPECT_EQ(ask("flaky-9", "nine times").result.error().code(), ErrorCode::kUnavailable);
}

TEST_F(OpenAiClientTest, NeverRetriesAfterTheFirstPiece) {
    const Outcome outcome = ask("break", "why is the sky blue?");
    EXPECT_EQ(outcome.text, "You asked: why");
    ASSERT_FALSE(outcome.result);
    EXPECT_EQ(outcome.result.error().code(), ErrorCode::kUpstream);
}

TEST_F(OpenAiClientTest, MapsEveryFailureAndLeaksNothing) {
    for (const char* model : {"break-early", "mid-error", "no-finish", "garbage", "status-400",
                              "status-401", "status-429", "status-500", "status-503"}) {
        const Outcome outcome = ask(model, std::string("please do ") + model);
        ASSERT_FALSE(outcome.result) << model;
        const std::string& message = outcome.result.error().message();
        EXPECT_EQ(message.find("secret"), std::string::npos) << message;
        EXPECT_EQ(message.find("0x"), std::string::npos) << message;
    }
    EXPECT_EQ(ask("status-404").result.error().reason(), "model_not_found");
}

TEST_F(OpenAiClientTest, SendsItsKeyAndOnlyIfItHasOne) {
    EXPECT_FALSE(ask("needs-key").result);
    UpstreamOptions options;
    options.key = "upstream-key";
    EXPECT_TRUE(ask("needs-key", "why?", options).result);
}

TEST_F(OpenAiClientTest, TheDeadlineEndsAStalledStream) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = ask("stall", "why is the sky blue?", {}, async::Deadline::after(300ms));
    EXPECT_EQ(outcome.result.error().code(), ErrorCode::kDeadlineExceeded);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(OpenAiClientTest, AnAnswerWithoutEndIsCutAtTheCap) {
    UpstreamOptions options;
    options.answer_bytes_max = 10;
    EXPECT_EQ(ask("scripted", "a long question indeed", options).result.error().code(),
              ErrorCode::kUpstream);
}

TEST_F(OpenAiClientTest, NobodyListening) {
    UpstreamOptions options;
    options.base_url = "http://127.0.0.1:1/v1";
    EXPECT_EQ(ask("scripted", "why?", options).result.error().code(), ErrorCode::kUpstream);
    options.base_url = "ftp://nowhere";
    EXPECT_FALSE(OpenAiClient::create(options, http_));
}

TEST_F(OpenAiClientTest, ListsModelsAndEmbeds) {
    const auto models = runtime_.run(client()->models(async::Deadline::after(5s)));
    ASSERT_TRUE(models);
    EXPECT_EQ(models->front().id, "scripted");
    EXPECT_EQ(models->front().context_tokens, 8192u);
    const auto vectors =
        runtime_.run(client()->embed("any", {"one", "three"}, async::Deadline::after(5s)));
    ASSERT_TRUE(vectors);
    EXPECT_EQ((*vectors)[1][0], 5.0F);
}

}  // namespace
}  // namespace heddle::upstream
