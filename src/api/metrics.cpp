// GET /metrics in the Prometheus text format.
#include "api/endpoints.h"
#include "api/error_response.h"

namespace heddle::api {
namespace {

async::Task<http::Response> metrics(Context& context, Call call) {
    if (!context.services.metrics_text) {
        co_return error_response(call.request,
                                 Error(ErrorCode::kUnavailable, "metrics are not collected"));
    }
    co_return http::Response::text(200, "text/plain; version=0.0.4; charset=utf-8",
                                   context.services.metrics_text());
}

}  // namespace

Endpoint metrics_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/metrics",
            .run = metrics,
            .summary = "Figures for Prometheus",
            .tag = "operation",
            .response_type = "text/plain"};
}

}  // namespace heddle::api
