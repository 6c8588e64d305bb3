// POST /generate/text: the main job, as one JSON document or as server-sent events.
#include <utility>

#include "api/answer_events.h"
#include "api/answer_json.h"
#include "api/api.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/generate_text_request.h"
#include "api/json_text.h"
#include "async/together.h"
#include "http/sse.h"

namespace heddle::api {
namespace {

constexpr std::size_t kEventsBuffered = 256;

void append_answer_event(std::string& out, service::AnswerEvent&& event) {
    const NamedEvent named = encode_event(event);
    http::append_event(out, named.name, named.data);
}

// An error before anything else has the status of its own; later it is an event.
async::Task<> write_events(http::BodyWriter& out, const http::Request& request,
                           std::shared_ptr<service::AnswerStream> events) {
    auto first = co_await events->next();
    if (!first) co_return;
    if (const auto* error = std::get_if<service::ErrorEvent>(&*first)) {
        if (out.answer_instead(respond_to_error(request, error->error))) co_return;
    }
    std::string bytes;
    append_answer_event(bytes, std::move(*first));
    co_await out.write(bytes);
    co_await http::send_items(out, events, append_answer_event);
}

async::Task<> stream_answer(http::BodyWriter& out, const http::Request& request,
                            std::shared_ptr<service::Answerer> answerer,
                            service::AnswerRequest answer) {
    const auto events = std::make_shared<service::AnswerStream>(kEventsBuffered);
    co_await async::together(answerer->answer(std::move(answer), events),
                             write_events(out, request, events));
}

// Fields with default values are left out, as in the chapter's service.
http::Response whole_answer(const Call& call, const CollectedAnswer& answer) {
    nlohmann::json body = {{"content", answer.text()}, {"ip", call.request.peer().to_string()}};
    if (!answer.sources.empty()) body["sources"] = to_json(answer.sources);
    body["usage"] = to_json(answer.usage);
    body["model"] = answer.model;
    return http::Response::json(200, to_text(body));
}

async::Task<http::Response> generate_text(Context& context, Call call) {
    auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(call.request, body.error());
    auto decoded = decode_generate_text(*body, context, call.identity);
    if (!decoded) co_return error_response(call.request, decoded.error());
    const auto answerer = context.services.answerer;
    if (decoded->stream) {
        co_return http::Response::events([answerer, answer = std::move(decoded->answer),
                                          &request = call.request](http::BodyWriter& out) {
            return stream_answer(out, request, answerer, answer);
        });
    }
    const auto answer = co_await collect_answer(answerer, std::move(decoded->answer));
    if (!answer) co_return error_response(call.request, answer.error());
    co_return whole_answer(call, *answer);
}

}  // namespace

Endpoint generate_text_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/generate/text",
            .run = generate_text,
            .summary = "Answer a question over the owner's documents and the pages named in it",
            .tag = "answers",
            .request_schema = kGenerateTextSchema};
}

}  // namespace heddle::api
