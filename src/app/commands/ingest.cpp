// heddle ingest: files into the data folder. What is there already is passed over, what was cut
// short goes on.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands/commands.h"
#include "app/file_ingestion.h"
#include "app/house.h"
#include "app/logging.h"

namespace heddle::app {
namespace {

struct Files {
    std::vector<std::string> paths;
    std::string owner = service::local_identity().owner;
    std::string collection = "knowledgebase";
};

async::Task<int> ingest_all(House& house, Files files) {
    ProgressLine progress;
    int failed = 0;
    for (const std::string& path : files.paths) {
        const auto document =
            co_await ingest_file(house, files.owner, files.collection, path, progress);
        if (!document) {
            ++failed;
            progress.keep("heddle: " + document.error().message());
            continue;
        }
        progress.keep(
            fmt::format("{}: {} pages, {} passages", path, document->pages, document->chunks));
    }
    co_return failed == 0 ? kExitOk : kExitFailed;
}

int run(const SettingFlags& flags, const Files& files) {
    auto config = flags.load();
    if (!config) return report(config.error());
    accept_all_files(*config);
    log::set_sink(make_log_sink(LogFormat::kText));
    log::set_level(log::Level::kError);
    auto house = House::open(*config);
    if (!house) return report(house.error());
    (*house)->start_workers();
    return (*house)->runtime->run(ingest_all(**house, files));
}

std::function<int()> set_up(CLI::App& command) {
    const auto files = std::make_shared<Files>();
    command.add_option("files", files->paths, "documents to take in")
        ->required()
        ->check(CLI::ExistingFile);
    command.add_option("--owner", files->owner, "whose they are");
    command.add_option("--collection", files->collection, "where they go");
    const SettingFlags flags(command);
    return [=] { return run(flags, *files); };
}

}  // namespace

Command ingest_command() {
    return {"ingest", "take documents into the data folder", set_up};
}

}  // namespace heddle::app
