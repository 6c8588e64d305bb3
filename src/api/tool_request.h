// The fields `tools`, `tool_choice` and `parallel_tool_calls` of a chat request.
#pragma once

#include "api/json_body.h"
#include "service/conversation.h"

namespace heddle::api {

[[nodiscard]] Result<service::ToolUse> decode_tool_use(const JsonObject& object);

// The calls that an assistant's message made.
[[nodiscard]] Result<std::vector<service::ToolCall>> decode_tool_calls(const JsonObject& message);

}  // namespace heddle::api
