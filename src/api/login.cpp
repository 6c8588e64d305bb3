// POST /auth/login, POST /auth/logout, GET /auth/session: a browser trades an API key for a
// session cookie that scripts cannot read, and gets the token that unsafe methods must send back.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "base/clock.h"

namespace heddle::api {
namespace {

std::string session_cookie(std::string_view token, std::int64_t lifetime_s, bool secure) {
    std::string cookie(kSessionCookie);
    cookie += "=" + std::string(token) +
              "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(lifetime_s);
    if (secure) cookie += "; Secure";
    return cookie;
}

nlohmann::json to_json(const service::Identity& identity) {
    return {{"owner", identity.owner}, {"role", to_string(identity.role)}};
}

bool needs_login(const Context& context) {
    return context.services.keys && context.services.keys->required();
}

async::Task<http::Response> login(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!is_same_origin(request)) {
        co_return error_response(
            request, Error(ErrorCode::kPermissionDenied, "cross-site requests are refused"));
    }
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(request, body.error());
    const auto object = body->object();
    if (!object) co_return error_response(request, object.error());
    const auto key = object->required_text("key", {1, 512});
    if (!key) co_return error_response(request, key.error());
    const auto identity = context.authenticator->identify_key(request, *key);
    if (!identity) co_return error_response(request, identity.error());
    nlohmann::json answer = to_json(*identity);
    if (!needs_login(context)) co_return http::Response::json(200, to_text(answer));
    const auto session = co_await context.services.keys->open_session(*identity);
    if (!session) co_return error_response(request, session.error());
    answer["csrf"] = session->csrf;
    answer["expires_ms"] = session->expires_ms;
    const std::int64_t lifetime_s = (session->expires_ms - Clock::system().wall_ms()) / 1000;
    http::Response response = http::Response::json(200, to_text(answer));
    response.headers.set(
        "Set-Cookie", session_cookie(session->token, lifetime_s, context.options.secure_cookies));
    co_return response;
}

async::Task<http::Response> logout(Context& context, Call call) {
    const auto token = http::cookie(call.request.headers(), kSessionCookie);
    if (token && context.services.keys) {
        co_await context.services.keys->close_session(std::string(*token));
    }
    http::Response response = http::Response::empty(204);
    response.headers.set("Set-Cookie", session_cookie("", 0, context.options.secure_cookies));
    co_return response;
}

// For a page that was loaded again: who is logged in, and the token for unsafe methods.
async::Task<http::Response> session(Context& context, Call call) {
    nlohmann::json answer = to_json(call.identity);
    answer["login_required"] = needs_login(context);
    const auto token = http::cookie(call.request.headers(), kSessionCookie);
    if (token && needs_login(context)) {
        if (const auto open = context.services.keys->session(*token)) {
            answer["csrf"] = open->csrf;
            answer["expires_ms"] = open->expires_ms;
        }
    }
    co_return http::Response::json(200, to_text(answer));
}

}  // namespace

Endpoint login_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/auth/login",
            .run = login,
            .summary = "Trade an API key for a browser session",
            .tag = "auth",
            .is_open = true,
            .request_schema = R"({"type": "object", "required": ["key"],
                "properties": {"key": {"type": "string"}}})"};
}

Endpoint logout_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/auth/logout",
            .run = logout,
            .summary = "End the browser session",
            .tag = "auth",
            .success_status = 204};
}

Endpoint session_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/auth/session",
            .run = session,
            .summary = "Who is logged in",
            .tag = "auth"};
}

}  // namespace heddle::api
