// The events of /generate/text, the same over SSE and WebSocket: sources, delta, usage, done,
// error.
#pragma once

#include <string>
#include <string_view>

#include "service/answerer.h"

namespace heddle::api {

struct NamedEvent {
    std::string_view name;
    std::string data;  // JSON
};

[[nodiscard]] NamedEvent encode_event(const service::AnswerEvent& event);

}  // namespace heddle::api
