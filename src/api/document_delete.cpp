// DELETE /documents/{id}: the row, its chunks, vectors, keywords and file are gone when it answers.
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"

namespace heddle::api {
namespace {

async::Task<http::Response> document_delete(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    const auto removed = co_await context.services.documents->remove(
        call.identity.owner, std::string(call.request.parameter("id")));
    if (!removed) co_return error_response(call.request, removed.error());
    co_return http::Response::empty(204);
}

}  // namespace

Endpoint document_delete_endpoint() {
    return {.method = http::Method::kDelete,
            .pattern = "/documents/{id}",
            .run = document_delete,
            .summary = "Delete a document with its chunks and vectors",
            .tag = "documents",
            .success_status = 204};
}

}  // namespace heddle::api
