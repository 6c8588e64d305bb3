// What all subcommands share: settings as flags, the merged Config, and how a failure ends: one
// clear line and a non-zero exit.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "app/config.h"
#include "base/result.h"

namespace heddle::app {

// The exit statuses of the program (sysexits.h where one fits).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 64;

// The settings that were given as flags of one subcommand.
class SettingFlags {
public:
    // Adds every setting as --name, and --config FILE.
    explicit SettingFlags(CLI::App& command);

    // Defaults, then the file, the environment and the flags.
    [[nodiscard]] Result<Config> load() const;

private:
    struct Given;
    std::shared_ptr<Given> given_;
};

// Prints "heddle: message" to stderr; the status to exit with.
int report(const Error& error);

// A subcommand: its name, what it does, and how it is set up. `run` returns the exit status.
struct Command {
    const char* name;
    const char* summary;
    std::function<std::function<int()>(CLI::App&)> set_up;
};

}  // namespace heddle::app
