#include "http/websocket_decoder.h"

#include <utility>

#include <simdjson.h>

namespace heddle::http {
namespace {

constexpr unsigned kContinuation = 0x0;
constexpr unsigned kText = 0x1;
constexpr unsigned kBinary = 0x2;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xA;
constexpr std::size_t kControlBytesMax = 125;
constexpr std::size_t kMaskBytes = 4;

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

bool is_control(unsigned opcode) {
    return (opcode & 0x8U) != 0;
}

// Codes that may come over the wire (7.4.1, 7.4.2).
bool is_close_code(std::uint16_t code) {
    if (code >= 3000) return code < 5000;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

tl::expected<std::optional<WebSocketItem>, WebSocketFault> WebSocketDecoder::next() {
    for (;;) {
        const auto header = parse_header();
        if (!header) return tl::unexpected(header.error());
        if (!*header) return std::nullopt;
        const Frame& frame = **header;
        if (const auto fault = check(frame)) return tl::unexpected(*fault);
        if (buffer_.size() - frame.header_bytes < frame.payload_bytes) return std::nullopt;
        std::string payload = take_payload(frame);
        if (is_control(frame.opcode)) return control_item(frame.opcode, std::move(payload));
        if (frame.opcode != kContinuation) message_opcode_ = frame.opcode;
        message_ += payload;
        if (!frame.is_final) continue;
        WebSocketItem item;
        item.kind = std::exchange(message_opcode_, 0) == kText ? WebSocketItem::Kind::kText
                                                               : WebSocketItem::Kind::kBinary;
        item.payload = std::exchange(message_, {});
        if (item.kind == WebSocketItem::Kind::kText && !simdjson::validate_utf8(item.payload)) {
            return tl::unexpected(WebSocketFault::kInvalidText);
        }
        return item;
    }
}

tl::expected<std::optional<WebSocketDecoder::Frame>, WebSocketFault>
WebSocketDecoder::parse_header() const {
    if (buffer_.size() < 2) return std::nullopt;
    const auto first = static_cast<unsigned char>(buffer_[0]);
    const auto second = static_cast<unsigned char>(buffer_[1]);
    Frame frame;
    frame.is_final = (first & 0x80U) != 0;
    frame.opcode = first & 0x0FU;
    // Reserved bits need an extension; a client must mask.
    if ((first & 0x70U) != 0 || (second & 0x80U) == 0) {
        return tl::unexpected(WebSocketFault::kProtocol);
    }
    frame.payload_bytes = second & 0x7FU;
    std::size_t length_bytes = 0;
    if (frame.payload_bytes == 126) length_bytes = 2;
    if (frame.payload_bytes == 127) length_bytes = 8;
    frame.header_bytes = 2 + length_bytes + kMaskBytes;
    if (buffer_.size() < frame.header_bytes) return std::nullopt;
    if (length_bytes > 0) {
        frame.payload_bytes = big_endian(std::string_view(buffer_).substr(2, length_bytes));
        const std::uint64_t shorter_form_max = length_bytes == 2 ? 125 : 0xFFFF;
        if (frame.payload_bytes <= shorter_form_max) {
            return tl::unexpected(WebSocketFault::kProtocol);
        }
    }
    return frame;
}

std::optional<WebSocketFault> WebSocketDecoder::check(const Frame& frame) const {
    if (is_control(frame.opcode)) {
        const bool known = frame.opcode <= kPong;
        const bool fits = frame.is_final && frame.payload_bytes <= kControlBytesMax;
        return known && fits ? std::nullopt : std::optional(WebSocketFault::kProtocol);
    }
    if (frame.opcode > kBinary) return WebSocketFault::kProtocol;
    const bool continues = frame.opcode == kContinuation;
    if (continues != (message_opcode_ != 0)) return WebSocketFault::kProtocol;
    if (frame.payload_bytes > message_bytes_max_ - message_.size()) {
        return WebSocketFault::kTooLarge;
    }
    return std::nullopt;
}

std::string WebSocketDecoder::take_payload(const Frame& frame) {
    const auto bytes = static_cast<std::size_t>(frame.payload_bytes);
    const std::string_view mask =
        std::string_view(buffer_).substr(frame.header_bytes - kMaskBytes, kMaskBytes);
    std::string payload = buffer_.substr(frame.header_bytes, bytes);
    for (std::size_t i = 0; i < payload.size(); ++i) {
        payload[i] = static_cast<char>(payload[i] ^ mask[i % kMaskBytes]);
    }
    buffer_.erase(0, frame.header_bytes + bytes);
    return payload;
}

tl::expected<std::optional<WebSocketItem>, WebSocketFault> WebSocketDecoder::control_item(
    unsigned opcode, std::string payload) {
    WebSocketItem item;
    if (opcode != kClose) {
        item.kind = opcode == kPing ? WebSocketItem::Kind::kPing : WebSocketItem::Kind::kPong;
        item.payload = std::move(payload);
        return item;
    }
    item.kind = WebSocketItem::Kind::kClose;
    if (payload.empty()) return item;
    if (payload.size() < 2) return tl::unexpected(WebSocketFault::kProtocol);
    item.close_code =
        static_cast<std::uint16_t>(big_endian(std::string_view(payload).substr(0, 2)));
    item.payload = payload.substr(2);
    if (!is_close_code(item.close_code)) return tl::unexpected(WebSocketFault::kProtocol);
    if (!simdjson::validate_utf8(item.payload)) return tl::unexpected(WebSocketFault::kInvalidText);
    return item;
}

void append_websocket_frame(std::string& out, WebSocketItem::Kind kind, std::string_view payload) {
    using Kind = WebSocketItem::Kind;
    unsigned opcode = kText;
    if (kind == Kind::kBinary) opcode = kBinary;
    if (kind == Kind::kPing) opcode = kPing;
    if (kind == Kind::kPong) opcode = kPong;
    if (kind == Kind::kClose) opcode = kClose;
    out += static_cast<char>(0x80U | opcode);
    const std::uint64_t bytes = payload.size();
    int length_bytes = 0;
    if (bytes < 126) {
        out += static_cast<char>(bytes);
    } else {
        length_bytes = bytes <= 0xFFFF ? 2 : 8;
        out += static_cast<char>(length_bytes == 2 ? 126 : 127);
    }
    for (int shift = 8 * (length_bytes - 1); shift >= 0; shift -= 8) {
        out += static_cast<char>(bytes >> shift & 0xFFU);
    }
    out += payload;
}

}  // namespace heddle::http
