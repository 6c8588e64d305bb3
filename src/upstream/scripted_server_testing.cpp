#include "upstream/scripted_server_testing.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/check.h"

namespace heddle::upstream {

ScriptedServer::ScriptedServer(const std::string& name) {
    std::array<int, 2> pipe{};
    HEDDLE_CHECK(pipe2(pipe.data(), O_CLOEXEC) == 0, "a pipe for the scripted server");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::string script = HEDDLE_SOURCE_DIR "/tests/" + name;
    std::string python = "python3";
    char* arguments[] = {python.data(), script.data(), nullptr};
    const int failed =
        posix_spawnp(&process_, python.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[1]);
    HEDDLE_CHECK(failed == 0, "python3 is needed to play a server");
    std::string line;
    for (char c = 0; read(pipe[0], &c, 1) == 1 && c != '\n';) line += c;
    close(pipe[0]);
    const std::size_t space = line.rfind(' ');
    HEDDLE_CHECK(space != std::string::npos, "the scripted server says its port");
    std::from_chars(line.data() + space + 1, line.data() + line.size(), port_);
}

ScriptedServer::~ScriptedServer() {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
}

}  // namespace heddle::upstream
