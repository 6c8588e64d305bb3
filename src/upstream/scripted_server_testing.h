// tests/scripted_upstream.py or tests/scripted_hub.py as a child process: a model server or a model
// hub with settable failures.
#pragma once

#include <sys/types.h>

#include <string>

namespace heddle::upstream {

// Starts it on a free loopback port; the process ends with the object.
class ScriptedServer {
public:
    explicit ScriptedServer(const std::string& script = "scripted_upstream.py");
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string base_url() const { return url() + "/v1"; }

private:
    pid_t process_ = -1;
    int port_ = 0;
};

}  // namespace heddle::upstream
