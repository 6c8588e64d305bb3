#include "http/websocket.h"

#include <array>
#include <utility>

namespace heddle::http {

async::Task<std::optional<WebSocketMessage>> WebSocket::receive() {
    using Kind = WebSocketItem::Kind;
    std::array<char, 4096> chunk;
    for (;;) {
        auto item = decoder_.next();
        if (!item) {
            co_await close(static_cast<std::uint16_t>(item.error()));
            co_return std::nullopt;
        }
        if (!*item) {
            const IoOutcome outcome = co_await stream_.read_some(chunk, SteadyTime::max());
            if (outcome.ec || outcome.bytes == 0) co_return std::nullopt;
            decoder_.feed(std::string_view(chunk.data(), outcome.bytes));
            continue;
        }
        if ((*item)->kind == Kind::kText || (*item)->kind == Kind::kBinary) {
            const bool is_text = (*item)->kind == Kind::kText;
            co_return WebSocketMessage{is_text, std::move((*item)->payload)};
        }
        if (!co_await handle_control(std::move(**item))) co_return std::nullopt;
    }
}

async::Task<bool> WebSocket::handle_control(WebSocketItem item) {
    if (item.kind == WebSocketItem::Kind::kPing) {
        co_await send(WebSocketItem::Kind::kPong, std::move(item.payload));
    }
    if (item.kind != WebSocketItem::Kind::kClose) co_return true;
    // 1005 stands for "no code" and never goes over the wire.
    co_await close(item.close_code == 1005 ? std::uint16_t{1000} : item.close_code);
    co_return false;
}

async::Task<> WebSocket::send_text(std::string_view payload) {
    co_await send(WebSocketItem::Kind::kText, std::string(payload));
}

async::Task<> WebSocket::send_binary(std::string_view payload) {
    co_await send(WebSocketItem::Kind::kBinary, std::string(payload));
}

async::Task<> WebSocket::ping() {
    co_await send(WebSocketItem::Kind::kPing, {});
}

async::Task<> WebSocket::close(std::uint16_t code, std::string_view reason) {
    std::string payload;
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    payload += reason;
    co_await send(WebSocketItem::Kind::kClose, std::move(payload));
}

async::Task<> WebSocket::send(WebSocketItem::Kind kind, std::string payload) {
    if (closed_) co_return;
    if (kind == WebSocketItem::Kind::kClose) closed_ = true;
    std::string frame;
    append_websocket_frame(frame, kind, payload);
    const Pieces pieces = {frame, {}, {}};
    co_await stream_.write(pieces);
}

}  // namespace heddle::http
