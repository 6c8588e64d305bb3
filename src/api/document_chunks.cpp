// GET /documents/{id}/chunks: the passages a document was cut into.
#include "api/document_json.h"
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

async::Task<http::Response> document_chunks(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!context.services.documents) co_return error_response(request, no_documents());
    const auto first = count_parameter(request, "first", 0, std::size_t{1} << 32, 0);
    if (!first) co_return error_response(request, first.error());
    const auto limit = count_parameter(request, "limit", 1, 1000, 100);
    if (!limit) co_return error_response(request, limit.error());
    const auto chunks = co_await context.services.documents->chunks(
        call.identity.owner, std::string(request.parameter("id")), *first, *limit);
    if (!chunks) co_return error_response(request, chunks.error());
    nlohmann::json items = nlohmann::json::array();
    for (const service::ChunkInfo& chunk : *chunks) items.push_back(to_json(chunk));
    co_return http::Response::json(200, to_text({{"chunks", std::move(items)}}));
}

}  // namespace

Endpoint document_chunks_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/documents/{id}/chunks",
            .run = document_chunks,
            .summary = "The passages that a document was cut into",
            .tag = "documents",
            .query = {{"first", "integer", "Number of the first passage, from 0"},
                      {"limit", "integer", "1 to 1000, 100 if absent"}}};
}

}  // namespace heddle::api
