// GET /documents/{id}
#include "api/document_json.h"
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

async::Task<http::Response> document_get(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    const auto document = co_await context.services.documents->get(
        call.identity.owner, std::string(call.request.parameter("id")));
    if (!document) co_return error_response(call.request, document.error());
    co_return http::Response::json(200, to_text(to_json(*document)));
}

}  // namespace

Endpoint document_get_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/documents/{id}",
            .run = document_get,
            .summary = "A document's state, progress and figures",
            .tag = "documents"};
}

}  // namespace heddle::api
