// One conversation: GET, PATCH and DELETE /conversations/{id}, POST /conversations/{id}/branch, and
// GET /conversations/{id}/export.
#include <utility>

#include "api/conversation_json.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "http/target.h"
#include "service/conversation_answers.h"

namespace heddle::api {
namespace {

constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kTitleBytesMax = 200;
constexpr std::size_t kExportedMax = 100'000;

std::string id_of(const Call& call) {
    return std::string(call.request.parameter("id"));
}

http::Response respond(const Call& call, int status,
                       const Result<service::ConversationInfo>& conversation) {
    if (!conversation) return error_response(call.request, conversation.error());
    return http::Response::json(status, to_text(to_json(*conversation)));
}

async::Task<http::Response> conversation_get(Context& context, Call call) {
    if (!context.services.conversations) co_return error_response(call.request, no_conversations());
    co_return respond(
        call, 200, co_await context.services.conversations->get(call.identity.owner, id_of(call)));
}

async::Task<Result<service::ConversationInfo>> change(Context& context, Call call) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    service::ConversationChange wanted;
    HEDDLE_CO_TRY(wanted.title, object.text("title", {1, kTitleBytesMax}));
    HEDDLE_CO_TRY(wanted.settings, decode_settings(object));
    HEDDLE_CO_TRY(wanted.head, object.text("head", {1, kIdBytesMax}));
    co_return co_await context.services.conversations->change(call.identity.owner, id_of(call),
                                                              std::move(wanted));
}

async::Task<http::Response> conversation_change(Context& context, Call call) {
    if (!context.services.conversations) co_return error_response(call.request, no_conversations());
    co_return respond(call, 200, co_await change(context, call));
}

async::Task<http::Response> conversation_delete(Context& context, Call call) {
    if (!context.services.conversations) co_return error_response(call.request, no_conversations());
    if (context.services.conversation_answers)
        context.services.conversation_answers->stop(call.identity.owner, id_of(call));
    const auto removed =
        co_await context.services.conversations->remove(call.identity.owner, id_of(call));
    if (!removed) co_return error_response(call.request, removed.error());
    co_return http::Response::empty(204);
}

async::Task<Result<service::ConversationInfo>> branch(Context& context, Call call) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    HEDDLE_CO_TRY(std::string message, object.required_text("message", {1, kIdBytesMax}));
    co_return co_await context.services.conversations->branch(call.identity.owner, id_of(call),
                                                              std::move(message));
}

async::Task<http::Response> conversation_branch(Context& context, Call call) {
    if (!context.services.conversations) co_return error_response(call.request, no_conversations());
    co_return respond(call, 201, co_await branch(context, call));
}

http::Response attachment(std::string type, std::string name, std::string body) {
    http::Response response = http::Response::text(200, std::move(type), std::move(body));
    response.headers.set("Content-Disposition",
                         "attachment; filename*=UTF-8''" + http::percent_encode(name));
    return response;
}

async::Task<http::Response> conversation_export(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!context.services.conversations) co_return error_response(request, no_conversations());
    const std::string format(request.query("format").value_or("markdown"));
    if (format != "markdown" && format != "json") {
        co_return error_response(
            request, Error(ErrorCode::kInvalidArgument, "format must be markdown or json"));
    }
    service::Conversations& kept = *context.services.conversations;
    const auto conversation = co_await kept.get(call.identity.owner, id_of(call));
    if (!conversation) co_return error_response(request, conversation.error());
    const auto page = co_await kept.messages(call.identity.owner, id_of(call), "", kExportedMax);
    if (!page) co_return error_response(request, page.error());
    const std::string name = conversation->title.empty() ? "conversation" : conversation->title;
    if (format == "markdown") {
        co_return attachment("text/markdown; charset=utf-8", name + ".md",
                             to_markdown(*conversation, page->messages));
    }
    nlohmann::json json = to_json(*conversation);
    json["messages"] = nlohmann::json::array();
    for (const service::MessageInfo& message : page->messages) {
        json["messages"].push_back(to_json(message));
    }
    co_return attachment("application/json", name + ".json", to_text(json));
}

Endpoint of_one(http::Method method, std::string_view pattern, Endpoint::Run run,
                std::string_view summary) {
    return {.method = method,
            .pattern = pattern,
            .run = run,
            .summary = summary,
            .tag = "conversations"};
}

}  // namespace

Endpoint conversation_get_endpoint() {
    return of_one(http::Method::kGet, "/conversations/{id}", conversation_get, "One conversation");
}

Endpoint conversation_change_endpoint() {
    Endpoint endpoint = of_one(http::Method::kPatch, "/conversations/{id}", conversation_change,
                               "Rename a conversation, keep its settings, show another path");
    endpoint.request_schema = R"({"type": "object", "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 200},
        "settings": {"type": "object"},
        "head": {"type": "string",
            "description": "A message: the newest path through it is shown from now on"}}})";
    return endpoint;
}

Endpoint conversation_delete_endpoint() {
    Endpoint endpoint = of_one(http::Method::kDelete, "/conversations/{id}", conversation_delete,
                               "Delete a conversation with its messages");
    endpoint.success_status = 204;
    return endpoint;
}

Endpoint conversation_branch_endpoint() {
    Endpoint endpoint = of_one(http::Method::kPost, "/conversations/{id}/branch",
                               conversation_branch, "A new conversation up to this message");
    endpoint.request_schema = R"({"type": "object", "required": ["message"],
        "properties": {"message": {"type": "string"}}})";
    endpoint.success_status = 201;
    return endpoint;
}

Endpoint conversation_export_endpoint() {
    Endpoint endpoint = of_one(http::Method::kGet, "/conversations/{id}/export",
                               conversation_export, "The shown path as a file");
    endpoint.query = {{"format", "string", "markdown (default) or json"}};
    endpoint.response_type = "text/markdown";
    return endpoint;
}

}  // namespace heddle::api
