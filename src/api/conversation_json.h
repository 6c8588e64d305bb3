// Conversations on the wire.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "api/json_body.h"
#include "base/result.h"
#include "service/kept_conversation.h"

namespace heddle::api {

[[nodiscard]] nlohmann::json to_json(const service::ConversationInfo& conversation);
[[nodiscard]] nlohmann::json to_json(const service::MessageInfo& message);

// The whole path as a text that people read, with its sources.
[[nodiscard]] std::string to_markdown(const service::ConversationInfo& conversation,
                                      const std::vector<service::MessageInfo>& messages);

[[nodiscard]] Error no_conversations();

// The field "settings" as compact JSON; nothing when absent.
[[nodiscard]] Result<std::optional<std::string>> decode_settings(const JsonObject& object);

}  // namespace heddle::api
