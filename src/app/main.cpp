// heddle: the one binary.
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "app/commands/commands.h"
#include "app/version.h"
#include "ingest/formats.h"
#include "ingest/sandbox/parser_main.h"

namespace {

int run(int argc, char** argv) {
    CLI::App root("Heddle: answers over your documents and web pages, models served, one binary.",
                  "heddle");
    root.set_version_flag("--version", std::string("heddle ") + heddle::app::kVersion);
    root.require_subcommand(1);
    root.fallthrough(false);
    int status = heddle::app::kExitOk;
    for (const heddle::app::Command& command : heddle::app::all_commands()) {
        CLI::App* sub = root.add_subcommand(command.name, command.summary);
        auto body = command.set_up(*sub);
        sub->callback([body, &status] { status = body(); });
    }
    try {
        root.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return root.exit(error);
        std::fprintf(stderr, "heddle: %s (see `heddle --help`)\n", error.what());
        return heddle::app::kExitUsage;
    }
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    // A parser process is this binary again: it must lock itself in before anything else runs.
    if (heddle::ingest::is_parser_command(argc, argv))
        return heddle::ingest::parser_main(argc, argv, heddle::ingest::formats());
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "heddle: %s\n", error.what());
        return heddle::app::kExitFailed;
    }
}
