// A WebSocket session as its handler sees it (server side of RFC 6455).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "http/timed_stream.h"
#include "http/websocket_decoder.h"

namespace heddle::http {

struct WebSocketMessage {
    bool is_text = true;
    std::string payload;
};

// Lives on its connection's I/O thread, as long as the handler's task. One coroutine receives;
// several may send.
class WebSocket {
public:
    // `received` is what arrived behind the handshake.
    WebSocket(TimedStream& stream, std::string_view received, std::size_t message_bytes_max)
        : stream_(stream), decoder_(message_bytes_max) {
        decoder_.feed(received);
    }

    // The next message; nothing when the peer has closed, has gone or broke the protocol (it was
    // told so). Answers pings by itself.
    async::Task<std::optional<WebSocketMessage>> receive();

    // Resume when the kernel has taken the bytes; throw when the peer has gone.
    async::Task<> send_text(std::string_view payload);
    async::Task<> send_binary(std::string_view payload);
    async::Task<> ping();

    // Says goodbye once; later calls and sends do nothing.
    async::Task<> close(std::uint16_t code, std::string_view reason = {});

private:
    async::Task<> send(WebSocketItem::Kind kind, std::string payload);
    // False when the session is over.
    async::Task<bool> handle_control(WebSocketItem item);

    TimedStream& stream_;
    WebSocketDecoder decoder_;
    bool closed_ = false;
};

}  // namespace heddle::http
