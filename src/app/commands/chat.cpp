// heddle chat: a conversation with a model of this machine on the terminal, without a server and
// without the data folder.
#include <unistd.h>

#include <cstdio>
#include <string>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "app/commands/commands.h"
#include "app/local_models.h"
#include "app/logging.h"
#include "async/runtime.h"
#include "service/local_generator.h"

namespace heddle::app {
namespace {

struct Talk {
    std::string path;
    std::string system;
};

using Pieces = std::shared_ptr<service::TextStream>;

async::Task<Result<service::Completion>> write(service::LocalGenerator* generator,
                                               service::GenerateRequest request, Pieces out) {
    auto result = co_await generator->generate(std::move(request), out);
    out->close();
    co_return result;
}

async::Task<std::string> print(Pieces pieces) {
    std::string text;
    while (auto piece = co_await pieces->next()) {
        std::fputs(piece->text.c_str(), stdout);
        std::fflush(stdout);
        text += piece->text;
    }
    std::fputs("\n", stdout);
    co_return text;
}

// One answer, printed as it comes; it joins the conversation.
async::Task<Result<>> answer(service::LocalGenerator* generator,
                             std::vector<service::Message>& conversation) {
    using namespace boost::asio::experimental::awaitable_operators;
    service::GenerateRequest request;
    request.messages = conversation;
    const auto pieces = std::make_shared<service::TextStream>(64);
    auto [outcome, text] = co_await (write(generator, std::move(request), pieces) && print(pieces));
    if (!outcome) co_return fail(std::move(outcome).error());
    conversation.push_back({service::Role::kAssistant, std::move(text)});
    co_return Result<>();
}

// Without its end; false where there is no more.
bool read_line(std::string& line) {
    line.clear();
    char part[4096];
    while (std::fgets(part, sizeof part, stdin) != nullptr) {
        line += part;
        if (line.back() != '\n') continue;
        line.pop_back();
        return true;
    }
    return !line.empty();
}

Result<> talk(Config config, const Talk& given) {
    if (!given.path.empty()) config.models.insert(config.models.begin(), given.path);
    if (config.models.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "name a model: heddle chat PATH (`heddle doctor` knows one that fits)");
    }
    config.models.resize(1);
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    HEDDLE_TRY(const auto models, load_models(config, Metrics::none()));
    service::LocalGenerator generator(models.front(), runtime.workers());
    std::vector<service::Message> conversation;
    const auto begin = [&] {
        conversation.clear();
        if (!given.system.empty()) conversation.push_back({service::Role::kSystem, given.system});
    };
    begin();
    const bool at_terminal = isatty(STDIN_FILENO) == 1;
    if (at_terminal)
        std::printf("%s. /clear forgets, Ctrl-D ends.\n", models.front()->name().c_str());
    for (std::string line;;) {
        if (at_terminal) {
            std::fputs("> ", stdout);
            std::fflush(stdout);
        }
        if (!read_line(line)) return {};
        if (line.empty()) continue;
        if (line == "/clear") {
            begin();
            continue;
        }
        conversation.push_back({service::Role::kUser, line});
        HEDDLE_TRY_VOID(runtime.run(answer(&generator, conversation)));
    }
}

int run(const SettingFlags& flags, const Talk& given) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    log::set_sink(make_log_sink(LogFormat::kText));
    log::set_level(log::Level::kError);
    const auto talked = talk(*config, given);
    return talked ? kExitOk : report(talked.error());
}

std::function<int()> set_up(CLI::App& command) {
    const auto given = std::make_shared<Talk>();
    command.add_option("path", given->path, "a Hugging Face folder or a GGUF file");
    command.add_option("--system", given->system, "what the model is told to be");
    const SettingFlags flags(command);
    return [=] { return run(flags, *given); };
}

}  // namespace

Command chat_command() {
    return {"chat", "talk to a model on the terminal, without a server", set_up};
}

}  // namespace heddle::app
