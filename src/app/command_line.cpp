#include "app/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Option.hpp>

#include "app/environment.h"
#include "app/settings.h"

namespace heddle::app {
namespace {

std::string default_data_folder() {
    const std::string xdg = environment_variable("XDG_DATA_HOME");
    if (!xdg.empty()) return xdg + "/heddle";
    const std::string home = environment_variable("HOME");
    return home.empty() ? "heddle-data" : home + "/.local/share/heddle";
}

// share/heddle beside the binary (a build tree) or under its prefix (an installation).
std::string default_share_folder() {
    std::error_code ec;
    const auto binary = std::filesystem::read_symlink("/proc/self/exe", ec);
    if (ec) return "share/heddle";
    const auto beside = binary.parent_path() / "share/heddle";
    if (std::filesystem::exists(beside, ec)) return beside.string();
    return (binary.parent_path().parent_path() / "share/heddle").string();
}

}  // namespace

struct SettingFlags::Given {
    std::string config_file;
    std::vector<std::vector<std::string>> values;  // one list for each setting
    std::vector<bool> switches;                    // CLI11 fills flags through callbacks
};

SettingFlags::SettingFlags(CLI::App& command) : given_(std::make_shared<Given>()) {
    command.add_option("--config", given_->config_file, "settings file (default: heddle.toml)")
        ->type_name("FILE");
    given_->values.resize(settings().size());
    for (std::size_t i = 0; i < settings().size(); ++i) {
        const Setting& setting = settings()[i];
        const auto given = given_;
        if (setting.value.empty()) {
            const auto set = [given, i](const std::string& value) {
                given->values[i].push_back(value);
            };
            command.add_flag_callback("--" + setting.name, [set] { set("true"); }, setting.help);
            command.add_flag_callback(
                       "--no-" + setting.name, [set] { set("false"); }, "")
                ->group("");
            continue;
        }
        auto* option = command.add_option("--" + setting.name, given_->values[i], setting.help)
                           ->type_name(setting.value);
        if (!setting.list) option->expected(1);
        if (setting.list) option->expected(1)->allow_extra_args(false)->take_all();
    }
}

Result<Config> SettingFlags::load() const {
    Config config;
    config.data = default_data_folder();
    config.share = default_share_folder();
    std::string file =
        given_->config_file.empty() ? environment_variable("HEDDLE_CONFIG") : given_->config_file;
    if (file.empty() && std::filesystem::exists("heddle.toml")) file = "heddle.toml";
    if (!file.empty()) HEDDLE_TRY_VOID(apply_file(config, file));
    HEDDLE_TRY_VOID(apply_environment(config, environ));
    for (std::size_t i = 0; i < settings().size(); ++i) {
        const Setting& setting = settings()[i];
        if (setting.list && !given_->values[i].empty()) setting.clear_list(config);
        for (const std::string& value : given_->values[i]) {
            if (auto applied = setting.set(config, value); !applied) {
                return fail(ErrorCode::kInvalidArgument,
                            fmt::format("--{} {}", setting.name, applied.error().message()));
            }
        }
    }
    return config;
}

int report(const Error& error) {
    std::fprintf(stderr, "heddle: %s\n", error.message().c_str());
    return error.code() == ErrorCode::kInvalidArgument ? kExitUsage : kExitFailed;
}

}  // namespace heddle::app
