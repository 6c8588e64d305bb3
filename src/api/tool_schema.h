// The JSON schema of an answer that is a tool call and nothing else.
#pragma once

#include <string>

#include "base/result.h"
#include "service/conversation.h"

namespace heddle::api {

// {"name": one of the tools, "arguments": what that tool takes}. Definitions within the tools'
// schemas are moved to where their references look for them; kUnprocessable naming `tools`
// where two tools define the same name differently, or a schema is no JSON.
[[nodiscard]] Result<std::string> tool_call_schema(const service::ToolUse& use);

}  // namespace heddle::api
