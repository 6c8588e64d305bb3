// heddle bench: what a server does under load and what the engine does without one.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "app/commands/bench_engine.h"
#include "app/commands/commands.h"
#include "app/concurrency_bench.h"
#include "async/runtime.h"

namespace heddle::app {
namespace {

struct Arguments {
    ConcurrencyOptions options{.url = "http://127.0.0.1:8000"};
    std::string svg = "concurrency.svg";
    int status = kExitOk;
};

int run(const Arguments& given) {
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    http::ClientOptions client_options;
    client_options.idle_per_origin_max = 256;
    const auto client = std::make_shared<http::Client>(client_options);
    const auto runs = runtime.run(run_concurrency(given.options, client));
    if (!runs) return report(runs.error());
    std::fputs(concurrency_table(*runs).c_str(), stdout);
    std::ofstream file(given.svg);
    file << concurrency_svg(*runs);
    if (!file.flush()) {
        return report(Error(ErrorCode::kIo, fmt::format("{} cannot be written", given.svg)));
    }
    std::printf("picture: %s\n", given.svg.c_str());
    return kExitOk;
}

std::function<int()> set_up(CLI::App& command) {
    command.require_subcommand(1);
    const auto given = std::make_shared<Arguments>();
    CLI::App* concurrency = command.add_subcommand(
        "concurrency", "drive /block, /slow and /fast of a server started with --demo");
    concurrency->add_option("--url", given->options.url, "the server")->capture_default_str();
    concurrency->add_option("--requests", given->options.requests, "sent at once to each")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    concurrency->add_option("--svg", given->svg, "where the picture goes")->capture_default_str();
    concurrency->callback([given] { given->status = run(*given); });
    add_engine_benches(command, given->status);
    add_serve_bench(command, given->status);
    return [given] { return given->status; };
}

}  // namespace

Command bench_command() {
    return {"bench", "measure a server or the engine", set_up};
}

}  // namespace heddle::app
