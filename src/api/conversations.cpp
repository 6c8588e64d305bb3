// GET and POST /conversations: the owner's conversations, most recently used first, and a new one.
#include "service/conversations.h"

#include <utility>

#include "api/conversation_json.h"
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

constexpr std::size_t kSearchBytesMax = 200;
constexpr std::size_t kTitleBytesMax = 200;

async::Task<http::Response> conversations(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!context.services.conversations) co_return error_response(request, no_conversations());
    service::ConversationQuery query;
    const auto limit = count_parameter(request, "limit", 1, 200, 50);
    if (!limit) co_return error_response(request, limit.error());
    query.limit = *limit;
    query.after = request.query("after").value_or("");
    query.search = request.query("q").value_or("");
    if (query.search.size() > kSearchBytesMax) {
        co_return error_response(
            request, Error(ErrorCode::kInvalidArgument, "q must have at most 200 bytes"));
    }
    const auto list =
        co_await context.services.conversations->list(call.identity.owner, std::move(query));
    if (!list) co_return error_response(request, list.error());
    nlohmann::json items = nlohmann::json::array();
    for (const service::ConversationInfo& one : *list) items.push_back(to_json(one));
    co_return http::Response::json(200, to_text({{"conversations", std::move(items)}}));
}

async::Task<Result<service::ConversationInfo>> create(Context& context, Call call) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    HEDDLE_CO_TRY(auto title, object.text("title", {0, kTitleBytesMax}));
    HEDDLE_CO_TRY(auto settings, decode_settings(object));
    co_return co_await context.services.conversations->create(
        call.identity.owner, std::move(title).value_or(""), std::move(settings).value_or("{}"));
}

async::Task<http::Response> conversation_create(Context& context, Call call) {
    if (!context.services.conversations) co_return error_response(call.request, no_conversations());
    const auto made = co_await create(context, call);
    if (!made) co_return error_response(call.request, made.error());
    co_return http::Response::json(201, to_text(to_json(*made)));
}

}  // namespace

Result<std::optional<std::string>> decode_settings(const JsonObject& object) {
    HEDDLE_TRY(const auto settings, object.object("settings"));
    if (!settings) return std::nullopt;
    return simdjson::minify(*object.find("settings"));
}

Endpoint conversations_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/conversations",
            .run = conversations,
            .summary = "The owner's conversations, most recently used first",
            .tag = "conversations",
            .query = {{"q", "string", "Words in titles and messages"},
                      {"after", "string", "Id of the last conversation of the page before"},
                      {"limit", "integer", "1 to 200, 50 if absent"}}};
}

Endpoint conversation_create_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/conversations",
            .run = conversation_create,
            .summary = "Begin a conversation",
            .tag = "conversations",
            .request_schema = R"({"type": "object", "properties": {
                "title": {"type": "string", "maxLength": 200,
                    "description": "Made from the first question if absent"},
                "settings": {"type": "object",
                    "description": "Kept for the client as it is"}}})",
            .success_status = 201};
}

}  // namespace heddle::api
