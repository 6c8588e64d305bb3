// The table of settings: each has one name, which is its key in heddle.toml, its flag (--name) and
// its variable (HEDDLE_NAME), one type and one place in Config.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/result.h"

namespace heddle::app {

struct Setting {
    std::string name;   // "upload-max"
    std::string value;  // what help shows for the value, e.g. "SIZE"; empty: a switch
    std::string help;
    bool list = false;  // may be given several times, or as a comma-separated variable
    // Checks and stores one value; for lists it appends.
    std::function<Result<>(Config&, std::string_view)> set;
    std::function<void(Config&)> clear_list;
};

[[nodiscard]] const std::vector<Setting>& settings();

// Applies the file (unknown keys and wrong types are errors that name the line).
[[nodiscard]] Result<> apply_file(Config& config, const std::string& path);

// Applies HEDDLE_…; unknown ones are errors, since a misspelt setting must not pass unnoticed.
[[nodiscard]] Result<> apply_environment(Config& config, char** environment);

// "50MiB", "2GB", "1024".
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
// "30s", "500ms", "5m", "2h".
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace heddle::app
