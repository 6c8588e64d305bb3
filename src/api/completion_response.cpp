#include "api/completion_response.h"

#include <algorithm>
#include <utility>

#include "api/answer_json.h"
#include "api/api.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "api/logprobs_json.h"
#include "async/together.h"
#include "base/clock.h"
#include "base/ids.h"

namespace heddle::api {
namespace {

constexpr std::size_t kEventsBuffered = 256;

// What a chunk or document says of itself.
struct Completion {
    CompletionKind kind = CompletionKind::kChat;
    std::string id;
    std::int64_t created_s = 0;
    std::string model;
    std::size_t choices = 1;
    bool include_usage = false;
    bool grounded = false;
};

Completion describe(CompletionKind kind, const Context& context, const ChatRequest& request) {
    Completion completion;
    completion.kind = kind;
    completion.id = (kind == CompletionKind::kChat ? "chatcmpl-" : "cmpl-") + new_id();
    completion.created_s = Clock::system().wall_ms() / 1000;
    completion.model = request.answer.model;
    if (completion.model.empty()) {
        const auto models = context.services.answerer->models();
        if (!models.empty()) completion.model = models.front().id;
    }
    completion.choices =
        std::max<std::size_t>(1, request.answer.prompts.size()) * request.answer.sampling.answers;
    completion.include_usage = request.include_usage;
    completion.grounded = request.answer.grounding.enabled;
    return completion;
}

async::Task<> write_chunks(http::BodyWriter& out, const http::Request& request,
                           Completion completion, std::shared_ptr<service::AnswerStream> events) {
    auto first = co_await events->next();
    if (!first) co_return;
    if (const auto* error = std::get_if<service::ErrorEvent>(&*first)) {
        if (out.answer_instead(respond_to_error(request, error->error))) co_return;
    }
    ChunkEncoder encoder(completion.kind, completion.id, completion.created_s, completion.model,
                         completion.choices, completion.include_usage);
    std::string bytes;
    encoder.append(bytes, *first);
    co_await out.write(bytes);
    const auto append = [&encoder](std::string& chunk, service::AnswerEvent&& event) {
        encoder.append(chunk, event);
    };
    co_await http::send_items(out, events, append);
}

async::Task<> stream(http::BodyWriter& out, const http::Request& request,
                     std::shared_ptr<service::Answerer> answerer, service::AnswerRequest answer,
                     Completion completion) {
    const auto events = std::make_shared<service::AnswerStream>(kEventsBuffered);
    co_await async::together(answerer->answer(std::move(answer), events),
                             write_chunks(out, request, std::move(completion), events));
}

nlohmann::json message_of(const CollectedChoice& choice) {
    nlohmann::json message = {{"role", "assistant"}, {"content", choice.text}};
    if (choice.tool_calls.empty()) return message;
    if (choice.text.empty()) message["content"] = nullptr;
    message["tool_calls"] = nlohmann::json::array();
    for (const service::ToolCall& call : choice.tool_calls) {
        message["tool_calls"].push_back(
            {{"id", call.id},
             {"type", "function"},
             {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    return message;
}

nlohmann::json choice_json(const Completion& completion, const CollectedAnswer& answer,
                           std::size_t index) {
    const CollectedChoice& choice = answer.choices[index];
    const bool is_chat = completion.kind == CompletionKind::kChat;
    nlohmann::json json = {
        {"index", index},
        {"finish_reason", service::to_string(choice.finish.value_or(answer.finish_reason))},
        {"logprobs", nullptr}};
    std::size_t offset = 0;
    if (!choice.tokens.empty()) {
        json["logprobs"] =
            is_chat ? chat_logprobs(choice.tokens) : text_logprobs(choice.tokens, offset);
    }
    if (is_chat) {
        json["message"] = message_of(choice);
    } else {
        json["text"] = choice.text;
    }
    return json;
}

http::Response whole(const Completion& completion, const CollectedAnswer& answer) {
    const bool is_chat = completion.kind == CompletionKind::kChat;
    nlohmann::json choices = nlohmann::json::array();
    for (std::size_t i = 0; i < answer.choices.size(); ++i)
        choices.push_back(choice_json(completion, answer, i));
    nlohmann::json body = {{"id", completion.id},
                           {"object", is_chat ? "chat.completion" : "text_completion"},
                           {"created", completion.created_s},
                           {"model", answer.model.empty() ? completion.model : answer.model},
                           {"choices", std::move(choices)},
                           {"usage", to_json(answer.usage)}};
    if (completion.grounded) body["heddle"] = {{"sources", to_json(answer.sources)}};
    return http::Response::json(200, to_text(body));
}

}  // namespace

async::Task<http::Response> respond_with_completion(CompletionKind kind, Context& context,
                                                    Call call, ChatRequest request) {
    const auto answerer = context.services.answerer;
    Completion completion = describe(kind, context, request);
    if (request.stream) {
        co_return http::Response::events([answerer, completion = std::move(completion),
                                          answer = std::move(request.answer),
                                          &original = call.request](http::BodyWriter& out) {
            return stream(out, original, answerer, answer, completion);
        });
    }
    const auto answer = co_await collect_answer(answerer, std::move(request.answer));
    if (!answer) co_return error_response(call.request, answer.error());
    co_return whole(completion, *answer);
}

}  // namespace heddle::api
