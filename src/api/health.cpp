// GET /healthz and /health: the process lives. GET /readyz: it can take work.
#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

async::Task<http::Response> alive(Context& /*context*/, Call /*call*/) {
    co_return http::Response::json(200, R"({"status":"ok"})");
}

async::Task<http::Response> ready(Context& context, Call /*call*/) {
    const Readiness state = context.services.readiness ? context.services.readiness() : Readiness{};
    if (state.ready) co_return http::Response::json(200, R"({"status":"ready"})");
    http::Response response =
        http::Response::json(503, to_text({{"status", "not ready"}, {"reason", state.reason}}));
    response.headers.set("Retry-After", "1");
    co_return response;
}

Endpoint liveness(std::string_view pattern) {
    return {.method = http::Method::kGet,
            .pattern = pattern,
            .run = alive,
            .summary = "The server is alive",
            .tag = "operation",
            .is_open = true};
}

}  // namespace

Endpoint healthz_endpoint() {
    return liveness("/healthz");
}

Endpoint health_endpoint() {
    return liveness("/health");
}

Endpoint readyz_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/readyz",
            .run = ready,
            .summary = "The server takes work; 503 while it loads, drains or is full",
            .tag = "operation",
            .is_open = true};
}

}  // namespace heddle::api
