// GET and POST /admin/keys, DELETE /admin/keys/{id}: who may call.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

constexpr TextRule kNameRule{1, 100};

nlohmann::json to_json(const service::KeyInfo& key) {
    nlohmann::json json = {{"id", key.id},
                           {"owner", key.owner},
                           {"label", key.label},
                           {"role", to_string(key.role)},
                           {"created_ms", key.created_ms}};
    if (key.revoked_ms) json["revoked_ms"] = *key.revoked_ms;
    return json;
}

Error no_keys() {
    return {ErrorCode::kUnavailable, "this server keeps no keys"};
}

async::Task<http::Response> admin_keys(Context& context, Call call) {
    if (!context.services.keys) co_return error_response(call.request, no_keys());
    const auto list = co_await context.services.keys->list();
    if (!list) co_return error_response(call.request, list.error());
    nlohmann::json items = nlohmann::json::array();
    for (const service::KeyInfo& key : *list) items.push_back(to_json(key));
    co_return http::Response::json(200, to_text({{"keys", std::move(items)}}));
}

async::Task<Result<nlohmann::json>> create(Context& context, Call call) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    HEDDLE_CO_TRY(const std::string owner, object.required_text("owner", kNameRule));
    HEDDLE_CO_TRY(const auto label, object.text("label", kNameRule));
    HEDDLE_CO_TRY(const auto role, object.text("role"));
    if (role && *role != "admin" && *role != "user") {
        co_return field_error("role", "Input should be 'admin' or 'user'", "literal_error");
    }
    service::Keys& keys = *context.services.keys;
    const auto granted =
        role.value_or("user") == "admin" ? service::KeyRole::kAdmin : service::KeyRole::kUser;
    // The first key closes the server: without an administrator nobody could open it again.
    if (!keys.required() && granted != service::KeyRole::kAdmin) {
        co_return fail(ErrorCode::kConflict, "the first key must be an administrator's");
    }
    HEDDLE_CO_TRY(std::string key, co_await keys.create(owner, label.value_or(owner), granted));
    co_return nlohmann::json{{"key", std::move(key)},
                             {"owner", owner},
                             {"label", label.value_or(owner)},
                             {"role", to_string(granted)}};
}

async::Task<http::Response> admin_key_create(Context& context, Call call) {
    if (!context.services.keys) co_return error_response(call.request, no_keys());
    const auto made = co_await create(context, call);
    if (!made) co_return error_response(call.request, made.error());
    co_return http::Response::json(201, to_text(*made));
}

async::Task<http::Response> admin_key_revoke(Context& context, Call call) {
    if (!context.services.keys) co_return error_response(call.request, no_keys());
    const auto revoked =
        co_await context.services.keys->revoke(std::string(call.request.parameter("id")));
    if (!revoked) co_return error_response(call.request, revoked.error());
    co_return http::Response::empty(204);
}

}  // namespace

Endpoint admin_keys_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/admin/keys",
            .run = admin_keys,
            .summary = "All API keys, without what they open",
            .tag = "admin",
            .for_admins = true};
}

Endpoint admin_key_create_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/admin/keys",
            .run = admin_key_create,
            .summary = "Make a key; it is shown once, here",
            .tag = "admin",
            .request_schema = R"({"type": "object", "required": ["owner"], "properties": {
                "owner": {"type": "string", "minLength": 1, "maxLength": 100,
                    "description": "Whose documents and conversations it opens"},
                "label": {"type": "string", "maxLength": 100},
                "role": {"enum": ["admin", "user"], "default": "user"}}})",
            .success_status = 201,
            .for_admins = true};
}

Endpoint admin_key_revoke_endpoint() {
    return {.method = http::Method::kDelete,
            .pattern = "/admin/keys/{id}",
            .run = admin_key_revoke,
            .summary = "Revoke a key; its sessions end",
            .tag = "admin",
            .success_status = 204,
            .for_admins = true};
}

}  // namespace heddle::api
