// The upgrade of RFC 6455, section 4, seen from the server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/response.h"

namespace heddle::http {

// The Sec-WebSocket-Accept value for a client's key.
[[nodiscard]] std::string websocket_accept_value(std::string_view key);

[[nodiscard]] Response websocket_handshake(const Request& request, WebSocketHandler handler,
                                           const std::vector<std::string>& origins);

}  // namespace heddle::http
