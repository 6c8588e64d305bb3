// A server that says what it is told, right or wrong: one script for each connection, in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace heddle::http {

class ScriptedServer {
public:
    // At a script's end: keep the connection open, silently.
    static inline const std::string kStayOpen = "\x01stay";
    // At a script's end: close when another request comes.
    static inline const std::string kCloseAtNext = "\x01next";

    explicit ScriptedServer(std::vector<std::string> scripts);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    void serve();
    void play(int connection, std::string_view script);
    // Waits for bytes on the descriptor; false at the end of the test.
    bool wait_readable(int descriptor) const;

    std::vector<std::string> scripts_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::vector<int> kept_open_;
    std::thread thread_;
};

}  // namespace heddle::http
