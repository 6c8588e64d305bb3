// The body of POST /conversations/{id}/messages.
#pragma once

#include <string_view>

#include "api/endpoint.h"
#include "api/json_body.h"
#include "service/conversation_answers.h"

namespace heddle::api {

struct ConversationQuestionRequest {
    service::ConversationQuestion question;  // its conversation stands in the path
    bool stream = true;
};

[[nodiscard]] Result<ConversationQuestionRequest> decode_conversation_question(
    const JsonBody& body, const Context& context, const service::Identity& identity);

extern const std::string_view kConversationQuestionSchema;

}  // namespace heddle::api
