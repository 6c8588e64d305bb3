// From a decoded chat or completion request to its response, whole or streamed.
#pragma once

#include "api/chat_request.h"
#include "api/chat_stream.h"

namespace heddle::api {

async::Task<http::Response> respond_with_completion(CompletionKind kind, Context& context,
                                                    Call call, ChatRequest request);

}  // namespace heddle::api
