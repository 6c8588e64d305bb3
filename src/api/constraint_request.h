// The fields that say what form the answer must have: OpenAI's response_format, vLLM's
// structured_outputs and the older guided_json, guided_regex, guided_choice, guided_grammar.
#pragma once

#include "api/json_body.h"
#include "service/conversation.h"

namespace heddle::api {

// At most one form; a second one is an error that names it.
[[nodiscard]] Result<service::Constraint> decode_constraint(const JsonObject& object);

}  // namespace heddle::api
