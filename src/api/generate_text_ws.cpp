// GET /generate/text/ws: questions and answers over one WebSocket. Each text message is a body of
// POST /generate/text; its events come back as {"event": …, "data": …}. One answer at a time: a
// message that comes meanwhile ({"cancel": true} or a new question) ends the one under way.
#include <optional>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/answer_events.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/generate_text_request.h"
#include "async/together.h"
#include "http/websocket.h"

namespace heddle::api {
namespace {

constexpr std::size_t kEventsBuffered = 256;

std::string frame_of(const NamedEvent& event) {
    return R"({"event":")" + std::string(event.name) + R"(","data":)" + event.data + "}";
}

async::Task<> write_frames(http::WebSocket& socket, std::shared_ptr<service::AnswerStream> events) {
    while (const auto event = co_await events->next()) {
        const std::string frame = frame_of(encode_event(*event));
        co_await socket.send_text(frame);
    }
}

async::Task<> send_answer(http::WebSocket& socket, std::shared_ptr<service::Answerer> answerer,
                          service::AnswerRequest request) {
    const auto events = std::make_shared<service::AnswerStream>(kEventsBuffered);
    co_await async::together(answerer->answer(std::move(request), events),
                             write_frames(socket, events));
}

// What one message asks for; nothing for {"cancel": true}.
Result<std::optional<service::AnswerRequest>> decode_message(const std::string& text,
                                                             const Context& context,
                                                             const service::Identity& identity) {
    HEDDLE_TRY(const JsonBody body, JsonBody::parse(text));
    HEDDLE_TRY(const JsonObject object, body.object());
    HEDDLE_TRY(const bool cancels, object.boolean("cancel", false));
    if (cancels) return std::nullopt;
    HEDDLE_TRY(GenerateTextRequest request, decode_generate_text(body, context, identity));
    return std::move(request.answer);
}

async::Task<> serve_questions(http::WebSocket& socket, Context& context,
                              service::Identity identity) {
    using namespace boost::asio::experimental::awaitable_operators;
    auto message = co_await socket.receive();
    while (message) {
        auto question = decode_message(message->payload, context, identity);
        if (!question) {
            const service::AnswerEvent refusal = service::ErrorEvent{question.error()};
            const std::string frame = frame_of(encode_event(refusal));
            co_await socket.send_text(frame);
        }
        if (!question || !*question) {
            message = co_await socket.receive();
            continue;
        }
        // The next message is awaited beside the answer, and outlives it when it comes later.
        auto outcome = co_await (socket.receive() || send_answer(socket, context.services.answerer,
                                                                 std::move(**question)));
        message =
            outcome.index() == 0 ? std::get<0>(std::move(outcome)) : co_await socket.receive();
    }
}

async::Task<http::Response> generate_text_ws(Context& context, Call call) {
    const auto handler = [&context, identity = call.identity](http::WebSocket& socket) {
        return serve_questions(socket, context, identity);
    };
    co_return http::Response::websocket(call.request, handler, context.options.origins);
}

}  // namespace

Endpoint generate_text_ws_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/generate/text/ws",
            .run = generate_text_ws,
            .summary = "The same over a WebSocket: a question a message, events back",
            .tag = "answers",
            .success_status = 101};
}

}  // namespace heddle::api
