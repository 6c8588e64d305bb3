// The fields of /v1/chat/completions and /v1/completions on their way in, and several answers with
// calls and probabilities on their way out.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_testing.h"

namespace heddle::api {
namespace {

using nlohmann::json;
using service::Constraint;
using service::ToolUse;

class CompletionTest : public testing::Test {
protected:
    // The body with `more` added to the least that is needed.
    Reply chat(json more) {
        json body = {{"messages", {{{"role", "user"}, {"content", "hi"}}}}};
        body.update(more);
        return api_.post("/v1/chat/completions", body.dump());
    }
    Reply complete(json more) {
        json body = {{"prompt", "hi"}};
        body.update(more);
        return api_.post("/v1/completions", body.dump());
    }
    std::vector<json> chunks(const Reply& reply) {
        std::vector<json> all;
        std::size_t at = 0;
        while ((at = reply.body.find("data: {", at)) != std::string::npos) {
            const std::size_t end = reply.body.find("\n\n", at);
            all.push_back(json::parse(reply.body.substr(at + 6, end - at - 6)));
            at = end;
        }
        return all;
    }
    const service::GenerateRequest& seen() { return api_.generator().seen; }

    TestApi api_;
    const json tools_ = json::parse(
        R"([{"type":"function","function":{"name":"add","parameters":{"type":"object",
            "properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"integer"}}}}}])");
};

TEST_F(CompletionTest, SamplingReachesTheGenerator) {
    const Reply reply = chat({{"temperature", 0.3},
                              {"top_k", -1},
                              {"min_p", 0.1},
                              {"logit_bias", {{"17", -3}}},
                              {"stop_token_ids", {5, 6}},
                              {"min_tokens", 2},
                              {"max_completion_tokens", 9},
                              {"ignore_eos", true},
                              {"n", 2},
                              {"logprobs", true},
                              {"top_logprobs", 4},
                              {"seed", -1}});
    ASSERT_EQ(reply.status, 200) << reply.body;
    const service::SamplingOptions& sampling = seen().sampling;
    EXPECT_EQ(sampling.temperature, 0.3);
    EXPECT_FALSE(sampling.top_p);
    EXPECT_EQ(sampling.top_k, 0);
    EXPECT_EQ(sampling.logit_bias.front().first, 17);
    EXPECT_EQ(sampling.stop_ids.size(), 2u);
    EXPECT_EQ(sampling.tokens_max, 9u);
    EXPECT_EQ(sampling.answers, 2u);
    EXPECT_EQ(sampling.top_logprobs, 4);
    EXPECT_EQ(seen().messages.size(), 1u) << "nothing is put around a plain chat";
}

TEST_F(CompletionTest, ToolsAndTheirChoice) {
    ASSERT_EQ(chat({{"tools", tools_}}).status, 200);
    EXPECT_EQ(seen().tool_use.choice, ToolUse::Choice::kAuto);
    EXPECT_EQ(seen().tool_use.tools.front().name, "add");
    const json named = {{"type", "function"}, {"function", {{"name", "add"}}}};
    ASSERT_EQ(chat({{"tools", tools_}, {"tool_choice", named}}).status, 200);
    EXPECT_EQ(seen().tool_use.only, "add");
    const json schema = json::parse(seen().tool_use.call_schema);
    EXPECT_EQ(schema["$defs"]["n"]["type"], "integer") << "references count from the root";
    EXPECT_EQ(schema["anyOf"][0]["properties"]["name"]["const"], "add");
    EXPECT_FALSE(schema["anyOf"][0]["properties"]["arguments"].contains("$defs"));
    EXPECT_EQ(chat({{"tool_choice", "required"}}).status, 400);
    EXPECT_EQ(chat({{"tools", tools_}, {"tool_choice", "sometimes"}}).status, 400);
}

TEST_F(CompletionTest, FormsOfTheAnswer) {
    const auto kind = [&](json more) {
        const Reply reply = chat(std::move(more));
        EXPECT_EQ(reply.status, 200) << reply.body;
        return seen().constraint.kind;
    };
    EXPECT_EQ(kind({{"response_format", {{"type", "text"}}}}), Constraint::Kind::kNone);
    EXPECT_EQ(kind({{"response_format", {{"type", "json_object"}}}}),
              Constraint::Kind::kJsonObject);
    EXPECT_EQ(kind({{"response_format",
                     {{"type", "json_schema"}, {"json_schema", {{"schema", json::object()}}}}}}),
              Constraint::Kind::kJsonSchema);
    EXPECT_EQ(seen().constraint.source, "{}");
    EXPECT_EQ(kind({{"structured_outputs", {{"regex", "a+"}}}}), Constraint::Kind::kRegex);
    EXPECT_EQ(kind({{"guided_choice", json::array({"a", "b"})}}), Constraint::Kind::kChoice);
    EXPECT_EQ(kind({{"guided_grammar", "root ::= \"a\""}}), Constraint::Kind::kGrammar);
    EXPECT_EQ(chat({{"guided_regex", "a"}, {"guided_choice", json::array({"a"})}}).status, 400);
}

TEST_F(CompletionTest, WhatIsNotHonouredIsRefusedByName) {
    const std::pair<const char*, json> refused[] = {{"best_of", 2},
                                                    {"functions", {1}},
                                                    {"audio", {{"voice", "x"}}},
                                                    {"prompt_logprobs", 1},
                                                    {"use_beam_search", true},
                                                    {"skip_special_tokens", false},
                                                    {"chat_template", "{{}}"},
                                                    {"modalities", {"audio"}},
                                                    {"top_logprobs", 3}};
    for (const auto& [name, value] : refused) {
        const Reply reply = chat({{name, value}});
        EXPECT_EQ(reply.status, 400) << name;
        EXPECT_EQ(json::parse(reply.body)["error"]["param"], name);
    }
    EXPECT_EQ(complete({{"suffix", "x"}}).status, 400);
    EXPECT_EQ(chat({{"use_beam_search", false}, {"functions", json::array()}}).status, 200);
}

TEST_F(CompletionTest, PromptsAreTextsOrTokens) {
    ASSERT_EQ(complete({{"prompt", {1, 2, 3}}}).status, 200);
    EXPECT_EQ(seen().prompts.front().tokens.size(), 3u);
    ASSERT_EQ(complete({{"prompt", json::parse("[[1,2],[3]]")}}).status, 200);
    EXPECT_EQ(seen().prompts.size(), 2u);
    ASSERT_EQ(complete({{"prompt", json::parse(R"(["a","b"])")}, {"echo", true}}).status, 200);
    EXPECT_TRUE(seen().echo);
    for (const char* bad : {"[]", "[[]]", "[1,\"a\"]", "{}", "[-1]", "[[1],2]", "\"\""})
        EXPECT_EQ(complete({{"prompt", json::parse(bad)}}).status, 400) << bad;
}

TEST_F(CompletionTest, SeveralAnswersWithCallsAndProbabilities) {
    service::TextPiece text{.text = "ab"};
    text.tokens = {{{"a", -0.5F}, {{"a", -0.5F}, {"b", -1.0F}}}, {{"b", -0.25F}, {}}};
    service::TextPiece call{.choice = 1};
    call.tool_calls = {{0, "id1", "add", ""}};
    service::TextPiece arguments{.choice = 1};
    arguments.tool_calls = {{0, "", "", "{\"a\":1}"}};
    arguments.finish = service::FinishReason::kToolCalls;
    api_.generator().exact = {text, call, arguments};

    const json whole = json::parse(chat({{"n", 2}}).body);
    ASSERT_EQ(whole["choices"].size(), 2u);
    EXPECT_EQ(whole["choices"][0]["logprobs"]["content"][0]["top_logprobs"].size(), 2u);
    EXPECT_EQ(whole["choices"][0]["finish_reason"], "stop") << "the whole answer's";
    EXPECT_EQ(whole["choices"][1]["finish_reason"], "tool_calls");
    EXPECT_TRUE(whole["choices"][1]["message"]["content"].is_null());
    const json& made = whole["choices"][1]["message"]["tool_calls"][0];
    EXPECT_EQ(made["function"]["arguments"], "{\"a\":1}");
    EXPECT_EQ(whole["usage"]["prompt_tokens_details"]["cached_tokens"], 3);

    const auto events = chunks(chat({{"n", 2}, {"stream", true}}));
    std::string written;
    int ends = 0;
    for (const json& chunk : events) {
        for (const json& choice : chunk["choices"]) {
            if (choice["index"] == 0) written += choice["delta"].value("content", "");
            ends += choice["finish_reason"].is_null() ? 0 : 1;
        }
    }
    EXPECT_EQ(written, "ab");
    EXPECT_EQ(ends, 2);
    const json text_body = json::parse(complete({{"n", 2}, {"logprobs", 1}}).body);
    EXPECT_EQ(text_body["choices"][0]["logprobs"]["text_offset"], json({0, 1}));
    EXPECT_EQ(text_body["choices"][0]["logprobs"]["tokens"], json({"a", "b"}));
}

TEST_F(CompletionTest, AConversationWithToolsReachesTheGenerator) {
    const json body = {{"messages",
                        {{{"role", "user"}, {"content", "1+1"}},
                         {{"role", "assistant"},
                          {"content", nullptr},
                          {"tool_calls",
                           {{{"id", "c1"},
                             {"type", "function"},
                             {"function", {{"name", "add"}, {"arguments", "{}"}}}}}}},
                         {{"role", "tool"}, {"tool_call_id", "c1"}, {"content", "2"}}}},
                       {"chat_template_kwargs", {{"enable_thinking", false}}}};
    const Reply reply = api_.post("/v1/chat/completions", body.dump());
    ASSERT_EQ(reply.status, 200) << reply.body;
    ASSERT_EQ(seen().messages.size(), 3u);
    EXPECT_EQ(seen().messages[1].tool_calls.front().name, "add");
    EXPECT_EQ(seen().messages[2].tool_call_id, "c1");
    EXPECT_EQ(seen().template_arguments, R"({"enable_thinking":false})");
}

TEST_F(CompletionTest, ModelsOfThisProcessAreNeededForTokensAndRanks) {
    EXPECT_EQ(api_.post("/tokenize", R"({"prompt":"x"})").status, 503);
    EXPECT_EQ(api_.post("/detokenize", R"({"tokens":[1]})").status, 503);
    EXPECT_EQ(api_.post("/v1/rerank", R"({"query":"x","documents":["y"]})").status, 503);
}

}  // namespace
}  // namespace heddle::api
