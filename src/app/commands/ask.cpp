// heddle ask: one question over files and pages, without a server. Files go into a data folder of
// their own, so that asking again does not read them again and a running server is not disturbed.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands/commands.h"
#include "app/file_ingestion.h"
#include "app/house.h"
#include "app/logging.h"

namespace heddle::app {
namespace {

struct Question {
    std::vector<std::string> files;
    std::vector<std::string> urls;
    std::string text;
    std::string model;
};

std::string describe(const service::Source& source) {
    std::string where = source.kind == service::SourceKind::kWeb ? source.url : source.title;
    if (source.page) where += fmt::format(", page {}", *source.page);
    if (source.n == 0) return fmt::format("    {}: {}", where, source.error);
    return fmt::format("[{}] {}", source.n, where);
}

// Prints the answer as it comes, the sources after it.
async::Task<Result<>> print(std::shared_ptr<service::AnswerStream> events) {
    std::vector<service::Source> sources;
    while (auto event = co_await events->next()) {
        if (auto* gathered = std::get_if<service::SourcesEvent>(&*event)) {
            sources = std::move(gathered->sources);
        } else if (const auto* delta = std::get_if<service::DeltaEvent>(&*event)) {
            std::fputs(delta->text.c_str(), stdout);
            std::fflush(stdout);
        } else if (const auto* error = std::get_if<service::ErrorEvent>(&*event)) {
            std::fputs("\n", stdout);
            co_return fail(error->error);
        }
    }
    std::fputs("\n", stdout);
    if (!sources.empty()) std::fputs("\n", stdout);
    for (const service::Source& source : sources) std::printf("%s\n", describe(source).c_str());
    co_return Result<>();
}

async::Task<Result<>> ask(House& house, Question question) {
    using namespace boost::asio::experimental::awaitable_operators;
    const std::string owner = service::local_identity().owner;
    service::AnswerRequest request;
    request.owner = owner;
    request.model = question.model;
    {
        ProgressLine progress;
        for (const std::string& path : question.files) {
            HEDDLE_CO_TRY(
                const service::DocumentInfo document,
                co_await ingest_file(house, owner, request.grounding.collection, path, progress));
            request.grounding.documents.push_back(document.id);
        }
    }
    std::string prompt = question.text;
    for (const std::string& url : question.urls) prompt += " " + url;
    request.messages = {{service::Role::kUser, prompt}};
    request.deadline = async::Deadline::after(house.config.answer_timeout);
    const auto events = std::make_shared<service::AnswerStream>(256);
    co_return co_await (house.answerer->answer(std::move(request), events) && print(events));
}

int run(const SettingFlags& flags, const Question& question) {
    auto config = flags.load();
    if (!config) return report(config.error());
    accept_all_files(*config);
    log::set_sink(make_log_sink(LogFormat::kText));
    log::set_level(log::Level::kError);
    if (!question.files.empty()) config->data += "/ask";
    auto house = House::open(*config);
    if (!house) return report(house.error());
    (*house)->start_workers();
    const auto answered = (*house)->runtime->run(ask(**house, question));
    return answered ? kExitOk : report(answered.error());
}

std::function<int()> set_up(CLI::App& command) {
    const auto question = std::make_shared<Question>();
    command.add_option("question", question->text, "what you want to know")->required();
    command.add_option("--file", question->files, "a document to ask (may be repeated)")
        ->check(CLI::ExistingFile)
        ->expected(1)
        ->take_all();
    command.add_option("--url", question->urls, "a page to ask (may be repeated)")
        ->expected(1)
        ->take_all();
    command.add_option("--answer-model", question->model, "which model answers");
    const SettingFlags flags(command);
    return [=] { return run(flags, *question); };
}

}  // namespace

Command ask_command() {
    return {"ask", "answer one question over files and pages, without a server", set_up};
}

}  // namespace heddle::app
