// POST /v1/chat/completions, as OpenAI's clients speak it.
#include <utility>

#include "api/completion_response.h"
#include "api/endpoints.h"
#include "api/error_response.h"

namespace heddle::api {
namespace {

async::Task<http::Response> chat_completions(Context& context, Call call) {
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(call.request, body.error());
    auto request = decode_chat(*body, context, call.identity);
    if (!request) co_return error_response(call.request, request.error());
    co_return co_await respond_with_completion(CompletionKind::kChat, context, call,
                                               std::move(*request));
}

}  // namespace

Endpoint chat_completions_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/v1/chat/completions",
            .run = chat_completions,
            .summary = "Chat, whole or streamed; grounded with the `heddle` extension",
            .tag = "openai",
            .request_schema = kChatSchema};
}

}  // namespace heddle::api
