// The subcommands, one file each, in the order of `heddle --help`.
#pragma once

#include <vector>

#include "app/command_line.h"

namespace heddle::app {

[[nodiscard]] Command serve_command();
[[nodiscard]] Command ask_command();
[[nodiscard]] Command chat_command();
[[nodiscard]] Command ingest_command();
[[nodiscard]] Command keys_command();
[[nodiscard]] Command pull_command();
[[nodiscard]] Command models_command();
[[nodiscard]] Command plan_command();
[[nodiscard]] Command bench_command();
[[nodiscard]] Command doctor_command();

[[nodiscard]] inline std::vector<Command> all_commands() {
    return {serve_command(),  ask_command(),  chat_command(), ingest_command(), pull_command(),
            models_command(), plan_command(), keys_command(), bench_command(),  doctor_command()};
}

}  // namespace heddle::app
