#include "api/answer_json.h"

#include <utility>
#include <variant>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace heddle::api {
namespace {

constexpr std::size_t kEventsBuffered = 256;

async::Task<Result<CollectedAnswer>> collect(std::shared_ptr<service::AnswerStream> events) {
    CollectedAnswer answer;
    while (auto event = co_await events->next()) {
        if (auto* sources = std::get_if<service::SourcesEvent>(&*event)) {
            answer.sources = std::move(sources->sources);
        } else if (auto* delta = std::get_if<service::DeltaEvent>(&*event)) {
            answer.text += delta->text;
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
    if (source.retrieved_ms) json["retrieved_ms"] = *source.retrieved_ms;
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
    return {{"prompt_tokens", usage.prompt_tokens},
            {"completion_tokens", usage.completion_tokens},
            {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

async::Task<Result<CollectedAnswer>> collect_answer(std::shared_ptr<service::Answerer> answerer,
                                                    service::AnswerRequest request) {
    using namespace boost::asio::experimental::awaitable_operators;
    const auto events = std::make_shared<service::AnswerStream>(kEventsBuffered);
    co_return co_await (answerer->answer(std::move(request), events) && collect(events));
}

}  // namespace heddle::api
