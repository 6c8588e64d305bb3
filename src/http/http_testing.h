// A server and a raw client for the tests of this room.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "async/runtime.h"
#include "http/server.h"

namespace heddle::http {

// {"detail": message} with a plain status for the few codes that tests use.
[[nodiscard]] Response test_error(const Request& request, const Error& error);

// Listens on a loopback port that the kernel picks; stops with the object.
class TestServer {
public:
    TestServer(ServerOptions options, Handler handler);
    ~TestServer();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] Server& server() { return *server_; }
    [[nodiscard]] async::Runtime& runtime() { return runtime_; }

private:
    async::Runtime runtime_;
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
};

// A blocking socket that sends and reads bytes as they are.
class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    // False when the peer has closed.
    bool send(std::string_view bytes);
    // Nothing more will be sent.
    void finish();
    // What arrives until the peer closes or nothing has come for `patience`.
    std::string read_all(std::chrono::milliseconds patience = std::chrono::milliseconds(3000));
    // Reads until the text has been seen or patience is at its end; all that was read.
    std::string read_until(std::string_view text,
                           std::chrono::milliseconds patience = std::chrono::milliseconds(3000));
    // The peer has ended the connection (as far as read_all or read_until saw).
    [[nodiscard]] bool at_end() const { return at_end_; }
    void close();

private:
    bool read_some(std::string& out, std::chrono::milliseconds patience);
    int descriptor_ = -1;
    bool at_end_ = false;
};

// Sends the bytes over a connection of their own and returns all that comes back.
[[nodiscard]] std::string exchange(std::uint16_t port, std::string_view bytes);

// The number in "HTTP/1.1 NNN"; 0 when there is none.
[[nodiscard]] int status_of(std::string_view response);
// How many responses stand in what a connection sent.
[[nodiscard]] int count_responses(std::string_view bytes);

}  // namespace heddle::http
