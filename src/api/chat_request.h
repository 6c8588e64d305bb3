// The body of /v1/chat/completions and /v1/completions: OpenAI's fields, range-checked. What this
// server cannot honour is refused by name instead of being ignored, so that nobody gets free text
// where a schema was asked for.
#pragma once

#include "api/endpoint.h"
#include "api/json_body.h"

namespace heddle::api {

struct ChatRequest {
    service::AnswerRequest answer;
    bool stream = false;
    bool include_usage = false;  // stream_options.include_usage
};

[[nodiscard]] Result<ChatRequest> decode_chat(const JsonBody& body, const Context& context,
                                              const service::Identity& identity);
// /v1/completions: the prompts are continued as they stand; a grounded one becomes a question.
[[nodiscard]] Result<ChatRequest> decode_completion(const JsonBody& body, const Context& context,
                                                    const service::Identity& identity);

// The fields `messages` and `chat_template_kwargs`, as /tokenize has them too.
[[nodiscard]] Result<std::vector<service::Message>> decode_messages(const JsonObject& object);
[[nodiscard]] Result<std::string> decode_template_arguments(const JsonObject& object);

extern const std::string_view kChatSchema;
extern const std::string_view kCompletionSchema;

}  // namespace heddle::api
