// POST /v1/rerank: how well each document answers a query, in the shape of Jina's and Cohere's
// interfaces.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "base/ids.h"
#include "service/local_reranker.h"

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kDocumentsMax = 1000;
constexpr std::size_t kTextBytesMax = std::size_t{1} << 20;

struct RerankRequest {
    std::string model;
    std::string query;
    std::vector<std::string> documents;
    std::size_t top_n = kDocumentsMax;
    bool return_documents = false;
};

// Strings, or objects with a `text`.
Result<std::vector<std::string>> decode_documents(const JsonObject& object) {
    const auto found = object.find("documents");
    dom::array list;
    if (!found) return field_error("documents", "Field required", "missing");
    if (found->get(list) != simdjson::SUCCESS || list.size() == 0 || list.size() > kDocumentsMax) {
        return field_error("documents", "Input should be a list of 1 to 1000 texts", "value_error");
    }
    if (list.at(0).value_unsafe().is_string())
        return object.texts("documents", kDocumentsMax, {0, kTextBytesMax});
    std::vector<std::string> texts;
    HEDDLE_TRY(const auto entries, object.objects("documents", 1, kDocumentsMax));
    for (const JsonObject& entry : entries) {
        HEDDLE_TRY(std::string text, entry.required_text("text", {0, kTextBytesMax}));
        texts.push_back(std::move(text));
    }
    return texts;
}

Result<RerankRequest> decode(const JsonBody& body) {
    HEDDLE_TRY(const JsonObject object, body.object());
    RerankRequest request;
    HEDDLE_TRY(auto model, object.text("model", {0, 200}));
    request.model = std::move(model).value_or("");
    HEDDLE_TRY(request.query, object.required_text("query", {1, kTextBytesMax}));
    HEDDLE_TRY(request.documents, decode_documents(object));
    HEDDLE_TRY(const auto top, object.integer("top_n", 1, kDocumentsMax));
    if (top) request.top_n = static_cast<std::size_t>(*top);
    HEDDLE_TRY(request.return_documents, object.boolean("return_documents", false));
    return request;
}

std::string encode(const RerankRequest& request, const service::PairScores& pairs,
                   const std::string& model) {
    std::vector<std::size_t> order(pairs.scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return pairs.scores[a] > pairs.scores[b]; });
    order.resize(std::min(order.size(), request.top_n));
    nlohmann::json results = nlohmann::json::array();
    for (const std::size_t index : order) {
        const double relevance = 1 / (1 + std::exp(-static_cast<double>(pairs.scores[index])));
        nlohmann::json entry = {{"index", index}, {"relevance_score", relevance}};
        if (request.return_documents) entry["document"] = {{"text", request.documents[index]}};
        results.push_back(std::move(entry));
    }
    return to_text({{"id", "rerank-" + new_id()},
                    {"model", model},
                    {"results", std::move(results)},
                    {"usage", {{"prompt_tokens", pairs.tokens}, {"total_tokens", pairs.tokens}}}});
}

async::Task<http::Response> rerank(Context& context, Call call) {
    const http::Request& request = call.request;
    const auto reranker = context.services.reranker;
    if (!reranker) {
        co_return error_response(
            request, Error(ErrorCode::kUnavailable, "this server has no reranking model"));
    }
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(request, body.error());
    const auto decoded = decode(*body);
    if (!decoded) co_return error_response(request, decoded.error());
    if (!decoded->model.empty() && decoded->model != reranker->name()) {
        Error unknown(ErrorCode::kNotFound, "no reranking model of that name is served here");
        co_return error_response(
            request, std::move(unknown).with_reason("model_not_found").with_param("model"));
    }
    const auto scores = co_await reranker->score_pairs(decoded->query, decoded->documents);
    if (!scores) co_return error_response(request, scores.error());
    co_return http::Response::json(200, encode(*decoded, *scores, reranker->name()));
}

}  // namespace

Endpoint rerank_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/v1/rerank",
            .run = rerank,
            .summary = "Order documents by how well they answer a query",
            .tag = "models",
            .request_schema =
                R"({"type": "object", "required": ["query", "documents"], "properties": {
                "model": {"type": "string"},
                "query": {"type": "string"},
                "documents": {"type": "array", "items": {"anyOf": [{"type": "string"},
                    {"type": "object", "properties": {"text": {"type": "string"}}}]}},
                "top_n": {"type": "integer", "minimum": 1},
                "return_documents": {"type": "boolean", "default": false}}})"};
}

}  // namespace heddle::api
