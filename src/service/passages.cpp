#include "service/passages.h"

#include <utility>

#include <simdjson.h>

namespace heddle::service {
namespace {

GroundedText text_of(search::Passage passage) {
    GroundedText text;
    Source& source = text.source;
    source.kind = SourceKind::kDocument;
    source.title = passage.title.empty() ? passage.source : passage.title;
    source.document = passage.chunk.document;
    source.chunk = passage.chunk.id;
    if (passage.chunk.page_start > 0) {
        source.page = passage.chunk.page_start;
        source.page_end = passage.chunk.page_end;
    }
    source.score = passage.score;
    text.page_starts = page_starts_of(passage.chunk.boxes);
    text.text = std::move(passage.chunk.text);
    return text;
}

}  // namespace

std::vector<std::pair<std::size_t, std::uint32_t>> page_starts_of(const std::string& boxes) {
    std::vector<std::pair<std::size_t, std::uint32_t>> starts;
    simdjson::dom::parser parser;
    simdjson::dom::array lines;
    if (parser.parse(boxes).get(lines) != simdjson::SUCCESS) return starts;
    for (const simdjson::dom::element line : lines) {
        std::uint64_t page = 0;
        std::uint64_t start = 0;
        if (line["page"].get(page) != simdjson::SUCCESS || page > UINT32_MAX ||
            line["start"].get(start) != simdjson::SUCCESS)
            continue;
        if (starts.empty() || starts.back().second != page)
            starts.emplace_back(start, static_cast<std::uint32_t>(page));
    }
    return starts;
}

async::Task<Result<std::vector<GroundedText>>> find_passages(search::Searcher& searcher,
                                                             PassageOptions defaults,
                                                             std::string owner,
                                                             std::string question,
                                                             GroundingOptions options) {
    std::vector<GroundedText> texts;
    if (question.find_first_not_of(" \t\r\n") == std::string::npos) co_return texts;
    search::SearchRequest request;
    request.owner = std::move(owner);
    request.collection = std::move(options.collection);
    request.query = std::move(question);
    request.limit = options.limit.value_or(defaults.limit);
    request.score_threshold = options.score_threshold
                                  ? std::optional(static_cast<float>(*options.score_threshold))
                                  : defaults.score_threshold;
    request.filter.documents = std::move(options.documents);
    auto found = co_await searcher.search(std::move(request));
    if (!found) {
        // Nothing has been uploaded yet: there are no passages, which is no failure.
        if (found.error().code() == ErrorCode::kNotFound) co_return texts;
        co_return fail(std::move(found).error());
    }
    for (search::Passage& passage : *found) texts.push_back(text_of(std::move(passage)));
    co_return texts;
}

}  // namespace heddle::service
