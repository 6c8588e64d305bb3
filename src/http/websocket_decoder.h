// Frames of RFC 6455 as a server reads them: bytes → messages and control frames. Pure; one
// object a connection. No extensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heddle::http {

struct WebSocketItem {
    enum class Kind { kText, kBinary, kPing, kPong, kClose };
    Kind kind = Kind::kText;
    std::string payload;
    std::uint16_t close_code = 1005;  // of kClose; 1005: none was given
};

// Status codes of section 7.4 that a server answers a broken stream with.
enum class WebSocketFault : std::uint16_t {
    kProtocol = 1002,
    kInvalidText = 1007,
    kTooLarge = 1009,
};

class WebSocketDecoder {
public:
    explicit WebSocketDecoder(std::size_t message_bytes_max)
        : message_bytes_max_(message_bytes_max) {}

    void feed(std::string_view bytes) { buffer_ += bytes; }
    // The next whole message or control frame; nothing when more bytes are needed. After a fault
    // the decoder is spent.
    [[nodiscard]] tl::expected<std::optional<WebSocketItem>, WebSocketFault> next();

private:
    struct Frame {
        bool is_final = false;
        unsigned opcode = 0;
        std::size_t header_bytes = 0;  // with the masking key
        std::uint64_t payload_bytes = 0;
    };
    [[nodiscard]] tl::expected<std::optional<Frame>, WebSocketFault> parse_header() const;
    [[nodiscard]] std::optional<WebSocketFault> check(const Frame& frame) const;
    [[nodiscard]] std::string take_payload(const Frame& frame);
    [[nodiscard]] static tl::expected<std::optional<WebSocketItem>, WebSocketFault> control_item(
        unsigned opcode, std::string payload);

    const std::size_t message_bytes_max_;
    std::string buffer_;
    std::string message_;          // fragments so far
    unsigned message_opcode_ = 0;  // 0: no message is under way
};

// One unmasked, final frame as a server sends it.
void append_websocket_frame(std::string& out, WebSocketItem::Kind kind, std::string_view payload);

}  // namespace heddle::http
