// GET /documents: the owner's documents, newest first, a page at a time.
#include <charconv>
#include <utility>

#include "api/document_json.h"
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

async::Task<http::Response> documents(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!context.services.documents) co_return error_response(request, no_documents());
    service::DocumentQuery query;
    const auto limit = count_parameter(request, "limit", 1, 1000, 100);
    if (!limit) co_return error_response(request, limit.error());
    query.limit = *limit;
    query.after = request.query("after").value_or("");
    if (const auto collection = request.query("collection")) query.collection = *collection;
    if (const auto state = request.query("state")) {
        query.state = parse_state(*state);
        if (!query.state) {
            co_return error_response(request, Error(ErrorCode::kInvalidArgument, "unknown state"));
        }
    }
    const auto list =
        co_await context.services.documents->list(call.identity.owner, std::move(query));
    if (!list) co_return error_response(request, list.error());
    nlohmann::json items = nlohmann::json::array();
    for (const service::DocumentInfo& document : *list) items.push_back(to_json(document));
    co_return http::Response::json(200, to_text({{"documents", std::move(items)}}));
}

}  // namespace

Endpoint documents_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/documents",
            .run = documents,
            .summary = "The owner's documents, newest first",
            .tag = "documents",
            .query = {{"collection", "string", "Only of this collection"},
                      {"state", "string", "queued, extracting, embedding, ready or failed"},
                      {"after", "string", "Id of the last document of the page before"},
                      {"limit", "integer", "1 to 1000, 100 if absent"}}};
}

}  // namespace heddle::api
