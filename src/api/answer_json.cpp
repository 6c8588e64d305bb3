#include "api/answer_json.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>
#include <variant>

#include "async/together.h"
#include "base/check.h"

namespace heddle::api {
namespace {

constexpr std::size_t kEventsBuffered = 256;
// More than any request can ask for; a generator that numbers beyond is at fault.
constexpr std::size_t kChoicesMax = 128 * 128;

void append(CollectedAnswer& answer, service::DeltaEvent&& piece) {
    HEDDLE_CHECK(piece.choice < kChoicesMax, "answers are numbered from 0");
    if (answer.choices.size() <= piece.choice) answer.choices.resize(piece.choice + 1);
    CollectedChoice& choice = answer.choices[piece.choice];
    choice.text += piece.text;
    for (service::ToolCallDelta& delta : piece.tool_calls) {
        if (choice.tool_calls.size() <= delta.index && delta.index < kChoicesMax)
            choice.tool_calls.resize(delta.index + 1);
        if (delta.index >= choice.tool_calls.size()) continue;
        service::ToolCall& call = choice.tool_calls[delta.index];
        if (!delta.id.empty()) call.id = std::move(delta.id);
        call.name += delta.name;
        call.arguments += delta.arguments;
    }
    std::ranges::move(piece.tokens, std::back_inserter(choice.tokens));
    if (piece.finish) choice.finish = piece.finish;
}

async::Task<Result<CollectedAnswer>> collect(std::shared_ptr<service::AnswerStream> events) {
    CollectedAnswer answer;
    while (auto event = co_await events->next()) {
        if (auto* sources = std::get_if<service::SourcesEvent>(&*event)) {
            answer.sources = std::move(sources->sources);
        } else if (auto* delta = std::get_if<service::DeltaEvent>(&*event)) {
            append(answer, std::move(*delta));
        } else if (auto* usage = std::get_if<service::UsageEvent>(&*event)) {
            answer.usage = usage->usage;
        } else if (auto* done = std::get_if<service::DoneEvent>(&*event)) {
            answer.model = std::move(done->model);
            answer.finish_reason = done->finish_reason;
        } else if (auto* error = std::get_if<service::ErrorEvent>(&*event)) {
            co_return fail(std::move(error->error));
        }
    }
    co_return answer;
}

}  // namespace

nlohmann::json to_json(const service::Source& source) {
    nlohmann::json json = {{"n", source.n}, {"title", source.title}, {"snippet", source.snippet}};
    const bool is_document = source.kind == service::SourceKind::kDocument;
    json["kind"] = is_document ? "document" : "web";
    json[is_document ? "document" : "url"] = is_document ? source.document : source.url;
    if (source.page) json["page"] = *source.page;
    if (source.page_end) json["page_end"] = *source.page_end;
    if (source.score) json["score"] = *source.score;
    if (source.retrieved_ms) {
        json["retrieved_ms"] = *source.retrieved_ms;
        json["updated_at"] = fmt::format(
            "{:%FT%TZ}", fmt::gmtime(static_cast<std::time_t>(*source.retrieved_ms / 1000)));
    }
    if (!source.chunk.empty()) json["chunk"] = source.chunk;
    if (!source.error.empty()) json["error"] = source.error;
    return json;
}

nlohmann::json to_json(const std::vector<service::Source>& sources) {
    nlohmann::json list = nlohmann::json::array();
    for (const service::Source& source : sources) list.push_back(to_json(source));
    return list;
}

nlohmann::json to_json(const service::Usage& usage) {
    nlohmann::json json = {{"prompt_tokens", usage.prompt_tokens},
                           {"completion_tokens", usage.completion_tokens},
                           {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
    if (usage.cached_tokens > 0)
        json["prompt_tokens_details"] = {{"cached_tokens", usage.cached_tokens}};
    return json;
}

async::Task<Result<CollectedAnswer>> collect_answer(std::shared_ptr<service::Answerer> answerer,
                                                    service::AnswerRequest request) {
    const auto events = std::make_shared<service::AnswerStream>(kEventsBuffered);
    co_return co_await async::together(answerer->answer(std::move(request), events),
                                       collect(events));
}

}  // namespace heddle::api
