// POST /collections/{name}/search: passages for a query, with payload and score.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

constexpr std::size_t kQueryBytesMax = std::size_t{64} << 10;
constexpr std::int64_t kLimitMax = 1000;
constexpr std::size_t kDocumentsMax = 100;

Result<search::SearchRequest> decode(const JsonBody& body, const Call& call) {
    HEDDLE_TRY(const JsonObject object, body.object());
    search::SearchRequest request;
    request.owner = call.identity.owner;
    request.collection = call.request.parameter("name");
    HEDDLE_TRY(request.query, object.required_text("query", {1, kQueryBytesMax}));
    HEDDLE_TRY(const auto limit, object.integer("limit", 1, kLimitMax));
    if (limit) request.limit = static_cast<std::size_t>(*limit);
    HEDDLE_TRY(const auto threshold, object.number("score_threshold", -1, 1));
    if (threshold) request.score_threshold = static_cast<float>(*threshold);
    HEDDLE_TRY(request.filter.documents, object.texts("documents", kDocumentsMax, {1, 64}));
    return request;
}

nlohmann::json to_json(const search::Passage& passage) {
    nlohmann::json json = {
        {"id", passage.chunk.id},     {"document", passage.chunk.document},
        {"title", passage.title},     {"source", passage.source},
        {"text", passage.chunk.text}, {"heading_path", passage.chunk.heading_path},
        {"score", passage.score}};
    if (passage.chunk.page_start > 0) {
        json["page"] = passage.chunk.page_start;
        json["page_end"] = passage.chunk.page_end;
    }
    return json;
}

async::Task<http::Response> collection_search(Context& context, Call call) {
    if (!context.services.collections) {
        const Error error(ErrorCode::kUnavailable, "this server keeps no collections");
        co_return error_response(call.request, error);
    }
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(call.request, body.error());
    auto request = decode(*body, call);
    if (!request) co_return error_response(call.request, request.error());
    const auto found = co_await context.services.collections->search(std::move(*request));
    if (!found) co_return error_response(call.request, found.error());
    nlohmann::json items = nlohmann::json::array();
    for (const search::Passage& passage : *found) items.push_back(to_json(passage));
    co_return http::Response::json(200, to_text({{"passages", std::move(items)}}));
}

}  // namespace

Endpoint collection_search_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/collections/{name}/search",
            .run = collection_search,
            .summary = "Passages about a query, best first",
            .tag = "collections",
            .request_schema = R"({"type": "object", "required": ["query"], "properties": {
                "query": {"type": "string", "minLength": 1},
                "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 3},
                "score_threshold": {"type": "number", "minimum": -1, "maximum": 1,
                    "description": "Least cosine; the default suits the embedder in use"},
                "documents": {"type": "array", "items": {"type": "string"}}}})"};
}

}  // namespace heddle::api
