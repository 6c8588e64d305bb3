// GET and POST /conversations/{id}/messages; GET …/{message}/events and POST …/{message}/stop.
//
// Asking answers with the events of the answer, numbered. The answer does not need its reader: a
// client that lost its connection goes on with …/events and Last-Event-ID (or ?from=).
#include <charconv>
#include <utility>

#include "api/answer_events.h"
#include "api/answer_json.h"
#include "api/conversation_json.h"
#include "api/conversation_question.h"
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "http/sse.h"
#include "service/conversation_answers.h"

namespace heddle::api {
namespace {

using service::AnswerRun;
using service::ConversationAnswers;

std::string parameter(const Call& call, std::string_view name) {
    return std::string(call.request.parameter(name));
}

async::Task<http::Response> messages(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!context.services.conversations) co_return error_response(request, no_conversations());
    const auto limit = count_parameter(request, "limit", 1, 1000, 50);
    if (!limit) co_return error_response(request, limit.error());
    const std::string before(request.query("before").value_or(""));
    const auto page = co_await context.services.conversations->messages(
        call.identity.owner, parameter(call, "id"), before, *limit);
    if (!page) co_return error_response(request, page.error());
    nlohmann::json items = nlohmann::json::array();
    for (const service::MessageInfo& message : page->messages) items.push_back(to_json(message));
    co_return http::Response::json(200,
                                   to_text({{"messages", std::move(items)}, {"more", page->more}}));
}

// What one stream of events is about.
struct Followed {
    std::shared_ptr<service::Conversations> conversations;
    std::string owner;
    std::string conversation;
    std::string message;
    std::string opening;             // events before the first of the run
    std::shared_ptr<AnswerRun> run;  // null: it is over and only what was kept is left
    std::uint64_t seen = 0;
};

void append_batch(std::string& out, const service::RunBatch& batch) {
    if (batch.restart) {
        const nlohmann::json data = {{"text", batch.restart->text},
                                     {"sources", to_json(batch.restart->sources)}};
        http::append_event(out, "restart", to_text(data), std::to_string(batch.restart->number));
    }
    for (const service::NumberedEvent& numbered : batch.events) {
        const NamedEvent named = encode_event(numbered.event);
        http::append_event(out, named.name, named.data, std::to_string(numbered.number));
    }
}

// The message as it was saved, which ends every stream.
async::Task<> write_saved(http::BodyWriter& out, const Followed& followed, bool with_text) {
    const auto message = co_await followed.conversations->message(
        followed.owner, followed.conversation, followed.message);
    std::string bytes;
    if (!message) {
        http::append_event(bytes, "error", to_text({{"detail", message.error().message()}}));
    } else {
        if (with_text) {
            http::append_event(
                bytes, "restart",
                to_text({{"text", message->content}, {"sources", to_json(message->sources)}}));
        }
        http::append_event(bytes, "saved", to_text(to_json(*message)));
    }
    co_await out.write(bytes);
}

async::Task<> follow(http::BodyWriter& out, Followed followed) {
    if (!followed.opening.empty()) co_await out.write(followed.opening);
    if (!followed.run) {
        co_await write_saved(out, followed, true);
        co_return;
    }
    const auto reader = followed.run->read_after(followed.seen);
    for (;;) {
        const service::RunBatch batch = co_await reader->next();
        if (batch.empty()) break;
        std::string bytes;
        append_batch(bytes, batch);
        co_await out.write(bytes);
    }
    co_await write_saved(out, followed, false);
}

http::Response stream_of(Followed followed) {
    return http::Response::events(
        [followed = std::move(followed)](http::BodyWriter& out) { return follow(out, followed); });
}

std::string opening_of(const service::StartedAnswer& started) {
    nlohmann::json data = {{"answer", to_json(started.answer)}};
    if (started.question) data["question"] = to_json(*started.question);
    std::string bytes;
    http::append_event(bytes, "message", to_text(data));
    return bytes;
}

async::Task<Result<http::Response>> ask(Context& context, Call call) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(auto asked, decode_conversation_question(body, context, call.identity));
    asked.question.conversation = parameter(call, "id");
    HEDDLE_CO_TRY(const service::StartedAnswer started,
                  co_await context.services.conversation_answers->ask(std::move(asked.question)));
    Followed followed{context.services.conversations,
                      call.identity.owner,
                      parameter(call, "id"),
                      started.answer.id,
                      opening_of(started),
                      started.run,
                      0};
    if (asked.stream) co_return stream_of(std::move(followed));
    const auto reader = started.run->read_after(0);
    for (;;) {
        const service::RunBatch batch = co_await reader->next();
        if (batch.empty()) break;
    }
    HEDDLE_CO_TRY(const service::MessageInfo answer,
                  co_await followed.conversations->message(followed.owner, followed.conversation,
                                                           followed.message));
    co_return http::Response::json(200, to_text(to_json(answer)));
}

async::Task<http::Response> conversation_ask(Context& context, Call call) {
    if (!context.services.conversation_answers)
        co_return error_response(call.request, no_conversations());
    auto response = co_await ask(context, call);
    if (!response) co_return error_response(call.request, response.error());
    co_return std::move(*response);
}

// The number of the last event that the client has: ?from= or Last-Event-ID.
Result<std::uint64_t> last_seen(const http::Request& request) {
    const std::string_view text = request.query("from").value_or(request.header("last-event-id"));
    if (text.empty()) return 0;
    std::uint64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec == std::errc() && end == text.data() + text.size()) return number;
    return fail(
        Error(ErrorCode::kInvalidArgument, "from must be the id of an event").with_param("from"));
}

async::Task<http::Response> conversation_events(Context& context, Call call) {
    if (!context.services.conversation_answers)
        co_return error_response(call.request, no_conversations());
    const auto seen = last_seen(call.request);
    if (!seen) co_return error_response(call.request, seen.error());
    Followed followed{context.services.conversations,
                      call.identity.owner,
                      parameter(call, "id"),
                      parameter(call, "message"),
                      "",
                      nullptr,
                      *seen};
    const auto message = co_await followed.conversations->message(
        followed.owner, followed.conversation, followed.message);
    if (!message) co_return error_response(call.request, message.error());
    followed.run = context.services.conversation_answers->find(
        followed.owner, followed.conversation, followed.message);
    co_return stream_of(std::move(followed));
}

async::Task<http::Response> conversation_stop(Context& context, Call call) {
    if (!context.services.conversation_answers)
        co_return error_response(call.request, no_conversations());
    const auto message = co_await context.services.conversations->message(
        call.identity.owner, parameter(call, "id"), parameter(call, "message"));
    if (!message) co_return error_response(call.request, message.error());
    context.services.conversation_answers->stop(call.identity.owner, parameter(call, "id"),
                                                message->id);
    co_return http::Response::empty(204);
}

}  // namespace

Endpoint conversation_messages_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/conversations/{id}/messages",
            .run = messages,
            .summary = "The shown path from its end, a page at a time, oldest first",
            .tag = "conversations",
            .query = {{"before", "string", "Id of the first message of the page after"},
                      {"limit", "integer", "1 to 1000, 50 if absent"}}};
}

Endpoint conversation_ask_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/conversations/{id}/messages",
            .run = conversation_ask,
            .summary = "Ask; the answer is kept, and written to its end whoever listens",
            .tag = "conversations",
            .request_schema = kConversationQuestionSchema,
            .response_type = "text/event-stream"};
}

Endpoint conversation_events_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/conversations/{id}/messages/{message}/events",
            .run = conversation_events,
            .summary = "Follow an answer from where the connection was lost",
            .tag = "conversations",
            .response_type = "text/event-stream",
            .query = {{"from", "integer", "Id of the last event seen (or Last-Event-ID)"}}};
}

Endpoint conversation_stop_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/conversations/{id}/messages/{message}/stop",
            .run = conversation_stop,
            .summary = "End an answer; what is written stays",
            .tag = "conversations",
            .success_status = 204};
}

}  // namespace heddle::api
