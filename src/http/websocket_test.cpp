// WebSocket sessions over a socket: handshake, echo, closing, keep-alive, and foreign origins.
#include "http/websocket.h"

#include <string>

#include <gtest/gtest.h>

#include "http/http_testing.h"

namespace heddle::http {
namespace {

using namespace std::chrono_literals;

async::Task<> echo_all(WebSocket& socket) {
    while (auto message = co_await socket.receive()) {
        if (message->is_text) {
            co_await socket.send_text(message->payload);
        } else {
            co_await socket.send_binary(message->payload);
        }
    }
}

async::Task<Response> upgrade(Request& request) {
    co_return Response::websocket(request, [](WebSocket& socket) { return echo_all(socket); },
                                  {"https://app.example"});
}

std::string handshake(const std::string& fields = "") {
    return "GET / HTTP/1.1\r\nHost: x:1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket"
           "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           fields + "\r\n";
}

// With a mask of zeros the payload stays readable.
std::string frame(unsigned first_byte, const std::string& payload) {
    std::string out(1, static_cast<char>(first_byte));
    out += static_cast<char>(0x80 | payload.size());
    return out + std::string(4, '\0') + payload;
}

class WebSockets : public testing::Test {
protected:
    static ServerOptions options() {
        ServerOptions quick;
        quick.tick = 10ms;
        quick.keep_alive_interval = 50ms;
        return quick;
    }
    TestServer server_{options(), upgrade};
};

TEST_F(WebSockets, EchoAndClose) {
    RawClient client(server_.port());
    // The first frame may come right behind the handshake.
    client.send(handshake() + frame(0x81, "hello"));
    const std::string opened = client.read_until("hello");
    EXPECT_EQ(status_of(opened), 101);
    EXPECT_NE(opened.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
              std::string::npos);
    EXPECT_TRUE(opened.ends_with("\r\n\r\n\x81\x05hello")) << opened;
    client.send(frame(0x89, "p"));
    EXPECT_NE(client.read_until("\x8A\x01p").find("\x8A\x01p"), std::string::npos);
    client.send(frame(0x88, std::string("\x03\xE8", 2)));
    const std::string closing = client.read_all();
    EXPECT_TRUE(closing.ends_with(std::string("\x88\x02\x03\xE8", 4)));
    EXPECT_TRUE(client.at_end());
}

TEST_F(WebSockets, PingASilentClientAndDropADeadOne) {
    RawClient client(server_.port());
    client.send(handshake());
    const std::string seen = client.read_all();
    EXPECT_NE(seen.find(std::string("\x89\x00", 2)), std::string::npos) << "a ping";
    EXPECT_TRUE(client.at_end()) << "nothing came back for four intervals";
}

TEST_F(WebSockets, TellAClientThatBreaksTheProtocol) {
    RawClient client(server_.port());
    client.send(handshake() + std::string("\x81\x01x", 3));
    EXPECT_TRUE(client.read_all().ends_with(std::string("\x88\x02\x03\xEA", 4))) << "1002";
}

TEST_F(WebSockets, RefuseBadHandshakesAndForeignOrigins) {
    const auto status = [&](const std::string& request) {
        RawClient client(server_.port());
        client.send(request);
        return status_of(client.read_until("\r\n\r\n"));
    };
    EXPECT_EQ(status(handshake("Origin: http://x:1\r\n")), 101) << "this host";
    EXPECT_EQ(status(handshake("Origin: https://app.example\r\n")), 101) << "a listed origin";
    EXPECT_EQ(status(handshake("Origin: http://evil.test\r\n")), 403);
    EXPECT_EQ(status(handshake("Origin: null\r\n")), 403);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 426);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "\r\n"),
              426);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n"),
              400);
}

}  // namespace
}  // namespace heddle::http
