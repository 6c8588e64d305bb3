#include "http/scripted_server_testing.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/check.h"

namespace heddle::http {
namespace {

// Reads one request head (and whatever came with it).
void read_request(int connection) {
    std::string bytes;
    std::array<char, 4096> chunk;
    while (bytes.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(connection, chunk.data(), chunk.size(), 0);
        if (got <= 0) return;
        bytes.append(chunk.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace

ScriptedServer::ScriptedServer(std::vector<std::string> scripts)
    : scripts_(std::move(scripts)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool ok = ::bind(listener_, generic, length) == 0 && ::listen(listener_, 16) == 0 &&
                    ::getsockname(listener_, generic, &length) == 0;
    HEDDLE_CHECK(ok, "a loopback port can be bound");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
    stopping_ = true;
    thread_.join();
    for (const int descriptor : kept_open_) ::close(descriptor);
    ::close(listener_);
}

bool ScriptedServer::wait_readable(int descriptor) const {
    while (!stopping_) {
        pollfd waiting = {descriptor, POLLIN, 0};
        if (::poll(&waiting, 1, 20) > 0) return true;
    }
    return false;
}

void ScriptedServer::serve() {
    for (const std::string& script : scripts_) {
        if (!wait_readable(listener_)) return;
        const int connection = ::accept(listener_, nullptr, nullptr);
        if (connection < 0) return;
        play(connection, script);
    }
}

void ScriptedServer::play(int connection, std::string_view script) {
    const bool stays = script.ends_with(kStayOpen);
    const bool closes_at_next = script.ends_with(kCloseAtNext);
    if (stays) script.remove_suffix(kStayOpen.size());
    if (closes_at_next) script.remove_suffix(kCloseAtNext.size());
    read_request(connection);
    while (!script.empty()) {
        const ssize_t sent = ::send(connection, script.data(), script.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        script.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (stays) {
        kept_open_.push_back(connection);
        return;
    }
    if (closes_at_next) {
        wait_readable(connection);
        read_request(connection);
    }
    ::close(connection);
}

}  // namespace heddle::http
