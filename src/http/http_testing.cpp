#include "http/http_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace heddle::http {

Response test_error(const Request& /*request*/, const Error& error) {
    int status = 500;
    if (error.code() == ErrorCode::kNotFound) status = 404;
    if (error.code() == ErrorCode::kMethodNotAllowed) status = 405;
    if (error.code() == ErrorCode::kTooLarge) status = 413;
    if (error.code() == ErrorCode::kTimeout) status = 408;
    if (error.code() == ErrorCode::kInvalidArgument) status = 400;
    return Response::json(status, "{\"detail\":\"" + error.message() + "\"}");
}

TestServer::TestServer(ServerOptions options, Handler handler)
    : runtime_({.io_threads = 2, .worker_threads = 1}),
      server_(
          std::make_unique<Server>(runtime_, std::move(options), std::move(handler), test_error)) {
    const auto port = server_->listen("127.0.0.1", 0);
    HEDDLE_CHECK(port.has_value(), "a loopback port can be bound");
    port_ = *port;
}

TestServer::~TestServer() {
    server_->stop(std::chrono::milliseconds(0));
}

RawClient::RawClient(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int connected =
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    HEDDLE_CHECK(connected == 0, "the test server accepts connections");
}

RawClient::~RawClient() {
    close();
}

void RawClient::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void RawClient::finish() {
    ::shutdown(descriptor_, SHUT_WR);
}

bool RawClient::read_some(std::string& out, std::chrono::milliseconds patience) {
    pollfd waiting = {descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
    std::array<char, 65536> chunk;
    const ssize_t got = ::recv(descriptor_, chunk.data(), chunk.size(), 0);
    if (got <= 0) {
        at_end_ = true;
        return false;
    }
    out.append(chunk.data(), static_cast<std::size_t>(got));
    return true;
}

std::string RawClient::read_all(std::chrono::milliseconds patience) {
    std::string out;
    while (read_some(out, patience)) {
    }
    return out;
}

std::string RawClient::read_until(std::string_view text, std::chrono::milliseconds patience) {
    std::string out;
    while (out.find(text) == std::string::npos && read_some(out, patience)) {
    }
    return out;
}

std::string exchange(std::uint16_t port, std::string_view bytes) {
    RawClient client(port);
    client.send(bytes);
    client.finish();
    return client.read_all();
}

int status_of(std::string_view response) {
    int status = 0;
    if (!response.starts_with("HTTP/1.1 ") || response.size() < 12) return 0;
    std::from_chars(response.data() + 9, response.data() + 12, status);
    return status;
}

int count_responses(std::string_view bytes) {
    int count = 0;
    for (std::size_t at = bytes.find("HTTP/1.1 "); at != std::string_view::npos;
         at = bytes.find("HTTP/1.1 ", at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace heddle::http
