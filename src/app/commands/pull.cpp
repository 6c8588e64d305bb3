// heddle pull: a model from a Hugging Face compatible hub into the data folder. What was cut short
// goes on; what is there is checked and left.
#include "upstream/pull.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/commands/commands.h"
#include "app/hub_settings.h"
#include "app/logging.h"
#include "app/pull_bars.h"
#include "async/runtime.h"

namespace heddle::app {
namespace {

struct Wanted {
    std::string name;
    std::string revision = "main";
    std::size_t connections = 8;
};

// Draws until the pull has ended and once more then.
async::Task<> draw(const upstream::Pull& pull, const bool& ended) {
    PullBars bars;
    while (!ended) {
        bars.show(pull.progress());
        co_await async::sleep_for(std::chrono::milliseconds(100));
    }
    bars.show(pull.progress());
}

async::Task<Result<>> pull_noting_end(upstream::Pull& pull, upstream::HubName name,
                                      std::string revision, std::string hub, bool& ended) {
    auto pulled = co_await pull.run(std::move(name), std::move(revision), std::move(hub));
    ended = true;
    co_return pulled;
}

async::Task<Result<>> pull_and_draw(upstream::Pull& pull, upstream::HubName name,
                                    std::string revision, std::string hub) {
    using namespace boost::asio::experimental::awaitable_operators;
    bool ended = false;
    co_return co_await (
        pull_noting_end(pull, std::move(name), std::move(revision), std::move(hub), ended) &&
        draw(pull, ended));
}

Result<std::string> run_pull(const Config& config, const Wanted& wanted) {
    HEDDLE_TRY(const upstream::HubName name, upstream::parse_hub_name(wanted.name));
    HEDDLE_TRY(const upstream::HubOptions options, hub_options(config));
    http::ClientOptions client;
    client.idle_per_origin_max = wanted.connections;
    client.stall_timeout = std::chrono::seconds(30);
    HEDDLE_TRY(const auto hub,
               upstream::HubClient::create(options, std::make_shared<http::Client>(client)));
    async::Runtime runtime({.io_threads = 1, .worker_threads = 2});
    upstream::ModelStore store = model_store(config);
    upstream::Pull pull({.connections = wanted.connections}, hub, store, runtime.workers());
    HEDDLE_TRY_VOID(runtime.run(pull_and_draw(pull, name, wanted.revision, options.base_url)));
    HEDDLE_TRY(const std::filesystem::path path, store.find(wanted.name));
    return path.string();
}

int run(const SettingFlags& flags, const Wanted& wanted) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    log::set_sink(make_log_sink(LogFormat::kText));
    log::set_level(log::Level::kError);
    const auto path = run_pull(*config, wanted);
    if (!path) return report(path.error());
    std::printf("%s\n", path->c_str());
    std::fprintf(stderr, "serve it with: heddle serve --model %s\n", wanted.name.c_str());
    return kExitOk;
}

std::function<int()> set_up(CLI::App& command) {
    const auto wanted = std::make_shared<Wanted>();
    command
        .add_option("model", wanted->name,
                    "owner/model, or owner/model:file (a part of a GGUF file's name will do)")
        ->required();
    command.add_option("--revision", wanted->revision, "branch, tag or commit")
        ->capture_default_str();
    command.add_option("--connections", wanted->connections, "used at once")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    const SettingFlags flags(command);
    return [=] { return run(flags, *wanted); };
}

}  // namespace

Command pull_command() {
    return {"pull", "fetch a model from a hub, or go on where a pull was cut short", set_up};
}

}  // namespace heddle::app
