#include "api/completion_response.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/answer_json.h"
#include "api/api.h"
#include "api/error_response.h"
#include "api/json_text.h"
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
                         completion.include_usage);
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
    using namespace boost::asio::experimental::awaitable_operators;
    const auto events = std::make_shared<service::AnswerStream>(kEventsBuffered);
    co_await (answerer->answer(std::move(answer), events) &&
              write_chunks(out, request, std::move(completion), events));
}

http::Response whole(const Completion& completion, const CollectedAnswer& answer) {
    const bool is_chat = completion.kind == CompletionKind::kChat;
    nlohmann::json choice = {{"index", 0},
                             {"finish_reason", service::to_string(answer.finish_reason)},
                             {"logprobs", nullptr}};
    if (is_chat) {
        choice["message"] = {{"role", "assistant"}, {"content", answer.text}};
    } else {
        choice["text"] = answer.text;
    }
    nlohmann::json body = {{"id", completion.id},
                           {"object", is_chat ? "chat.completion" : "text_completion"},
                           {"created", completion.created_s},
                           {"model", answer.model.empty() ? completion.model : answer.model},
                           {"choices", nlohmann::json::array({std::move(choice)})},
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
