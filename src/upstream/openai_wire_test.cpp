// What servers send, good and bad, becomes typed pieces or a clear error.
#include "upstream/openai_wire.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heddle::upstream {
namespace {

TEST(Encode, ChatNamesWhatIsSetAndNothingElse) {
    ChatCall call;
    call.model = "tiny";
    call.messages = {{"system", "be brief"}, {"user", "a \"quote\"\n\xF0\x9F\x98\x80"}};
    call.tokens_max = 12;
    const auto body = nlohmann::json::parse(encode_chat(call, true));
    EXPECT_EQ(body["messages"][1]["content"], "a \"quote\"\n\xF0\x9F\x98\x80");
    EXPECT_EQ(body["max_tokens"], 12);
    EXPECT_EQ(body["stream_options"]["include_usage"], true);
    EXPECT_FALSE(body.contains("seed"));
    EXPECT_FALSE(body.contains("top_p"));
}

TEST(Encode, ToolsAndFurtherFieldsArePassedOn) {
    ChatCall call;
    call.messages = {{"assistant", "", {{0, "c1", "add", "{\"a\":1}"}}}, {"tool", "2", {}, "c1"}};
    call.fields = {{"top_k", "5"}, {"tools", R"([{"type":"function"}])"}};
    const auto body = nlohmann::json::parse(encode_chat(call, false));
    EXPECT_EQ(body["messages"][0]["tool_calls"][0]["function"]["name"], "add");
    EXPECT_EQ(body["messages"][1]["tool_call_id"], "c1");
    EXPECT_EQ(body["top_k"], 5);
    EXPECT_EQ(body["tools"][0]["type"], "function");
    EXPECT_EQ(json_string("a\"b"), R"("a\"b")");
}

TEST(Encode, PromptsAreTextsOrTokens) {
    ChatCall call;
    call.prompts = {{"Once", {}}};
    EXPECT_EQ(nlohmann::json::parse(encode_chat(call, true))["prompt"], "Once");
    call.prompts.push_back({"", {1, 2}});
    const auto body = nlohmann::json::parse(encode_chat(call, true));
    EXPECT_EQ(body["prompt"][1][1], 2);
    EXPECT_FALSE(body.contains("messages"));
}

TEST(Encode, BrokenUtf8DoesNotThrow) {
    ChatCall call;
    call.messages = {{"user", "\xFF\xFE"}};
    EXPECT_NO_THROW(static_cast<void>(encode_chat(call, false)));
}

TEST(Decode, EventsOfAStream) {
    const auto delta = decode_chat(R"({"choices":[{"delta":{"content":"Hi"},"index":0}]})");
    ASSERT_TRUE(delta);
    ASSERT_EQ(delta->choices.size(), 1u);
    EXPECT_EQ(delta->choices[0].text, "Hi");
    EXPECT_TRUE(delta->choices[0].finish_reason.empty());

    const auto last = decode_chat(R"({"choices":[{"delta":{},"finish_reason":"length"}]})");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->choices[0].finish_reason, "length");

    const auto usage =
        decode_chat(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}})");
    ASSERT_TRUE(usage && usage->usage);
    EXPECT_EQ(usage->usage->completion_tokens, 7u);

    const auto error = decode_chat(R"({"error":{"message":"out of memory"}})");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error, "out of memory");
}

TEST(Decode, ToolCallsAndLogprobsOfSeveralAnswers) {
    const auto piece = decode_chat(
        R"({"choices":[{"index":1,"delta":{"tool_calls":[{"index":2,"id":"x","function":)"
        R"({"name":"f","arguments":"{}"}}]}},{"index":0,"delta":{"content":"a"},"logprobs":)"
        R"({"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":)"
        R"([{"token":"b","logprob":-1}]}]}}]})");
    ASSERT_TRUE(piece);
    ASSERT_EQ(piece->choices.size(), 2u);
    EXPECT_EQ(piece->choices[0].index, 1u);
    EXPECT_EQ(piece->choices[0].tool_calls[0].index, 2u);
    EXPECT_EQ(piece->choices[0].tool_calls[0].name, "f");
    ASSERT_EQ(piece->choices[1].tokens.size(), 1u);
    EXPECT_EQ(piece->choices[1].tokens[0].token.bytes, "a");
    EXPECT_EQ(piece->choices[1].tokens[0].top[0].bytes, "b");
    const auto text = decode_chat(
        R"({"choices":[{"index":0,"text":"hi","logprobs":{"tokens":["h","i"],)"
        R"("token_logprobs":[null,-2],"top_logprobs":[null,{"i":-2}]},"finish_reason":"stop"}]})");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->choices[0].text, "hi");
    EXPECT_EQ(text->choices[0].tokens[1].token.logprob, -2.0F);
    EXPECT_EQ(text->choices[0].tokens[1].top.size(), 1u);
}

TEST(Decode, NullContentAndUnknownFieldsAreFine) {
    const auto piece =
        decode_chat(R"({"x":1,"choices":[{"delta":{"role":"assistant","content":null},)"
                    R"("finish_reason":null}]})");
    ASSERT_TRUE(piece);
    EXPECT_TRUE(piece->choices[0].empty());
}

TEST(Decode, WhatIsNotTheApiIsRefused) {
    for (const char* bad :
         {"", "null", "[]", "{}", "{\"choices\":3}", "<html>", "{\"choices\":["}) {
        const auto piece = decode_chat(bad);
        ASSERT_FALSE(piece) << bad;
        EXPECT_EQ(piece.error().code(), ErrorCode::kUpstream);
    }
    EXPECT_FALSE(decode_models("{\"data\":{}}"));
}

TEST(Decode, EmbeddingsAreOrderedCompleteAndFinite) {
    const auto good = decode_embeddings(
        R"({"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2.5]}]})", 2);
    ASSERT_TRUE(good);
    EXPECT_EQ((*good)[0], (std::vector<float>{1, 2.5}));
    for (const char* bad :
         {R"({"data":[{"index":0,"embedding":[1]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":7,"embedding":[1]}]})",
          R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]})",
          R"({"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]})"}) {
        EXPECT_FALSE(decode_embeddings(bad, 2)) << bad;
    }
}

TEST(Decode, ModelsKeepTheirWindow) {
    const auto models = decode_models(
        R"({"data":[{"id":"a","max_model_len":4096,"created":9},{"id":""},{"id":"b"}]})");
    ASSERT_TRUE(models);
    ASSERT_EQ(models->size(), 2u);
    EXPECT_EQ(models->front().context_tokens, 4096u);
}

TEST(Errors, StatusesBecomeOursAndLeakNothing) {
    const std::string secret = R"({"error":{"message":"/root/secret key sk-123"}})";
    for (const int status : {400, 401, 403, 404, 422, 429, 500, 502, 503, 504}) {
        const Error error = error_of_status(status, secret, 0);
        EXPECT_EQ(error.message().find("secret"), std::string::npos) << status;
    }
    EXPECT_EQ(error_of_status(429, "", 9).retry_after_s(), 9);
    EXPECT_EQ(error_of_status(400, R"({"error":{"code":"context_length_exceeded"}})", 0).reason(),
              "context_length_exceeded");
}

}  // namespace
}  // namespace heddle::upstream
