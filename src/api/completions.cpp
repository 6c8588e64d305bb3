// POST /v1/completions: the older interface, one prompt.
#include <utility>

#include "api/completion_response.h"
#include "api/endpoints.h"
#include "api/error_response.h"

namespace heddle::api {
namespace {

async::Task<http::Response> completions(Context& context, Call call) {
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(call.request, body.error());
    auto request = decode_completion(*body, context, call.identity);
    if (!request) co_return error_response(call.request, request.error());
    co_return co_await respond_with_completion(CompletionKind::kText, context, call,
                                               std::move(*request));
}

}  // namespace

Endpoint completions_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/v1/completions",
            .run = completions,
            .summary = "Complete one prompt",
            .tag = "openai",
            .request_schema = kCompletionSchema};
}

}  // namespace heddle::api
