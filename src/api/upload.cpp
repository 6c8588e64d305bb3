// POST /upload: one file in multipart/form-data, written on as it arrives.
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "api/upload_form.h"

namespace heddle::api {
namespace {

async::Task<http::Response> upload(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    const auto files = co_await receive_files(context, call, 1);
    if (!files) co_return error_response(call.request, files.error());
    const auto& outcome = files->front().outcome;
    if (!outcome) co_return error_response(call.request, outcome.error());
    http::Response response = http::Response::json(202, to_text(accepted_json(*outcome)));
    response.headers.set("Location", "/documents/" + outcome->document.id);
    co_return response;
}

}  // namespace

Endpoint upload_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/upload",
            .run = upload,
            .summary = "Store a document; it is read, embedded and indexed in the background",
            .tag = "documents",
            .request_schema = R"({"type": "object", "required": ["file"], "properties": {
                "file": {"type": "string", "format": "binary"},
                "collection": {"type": "string", "default": "knowledgebase"}}})",
            .request_type = "multipart/form-data",
            .success_status = 202,
            .query = {{"collection", "string", "Where the document goes"}},
            .is_upload = true};
}

}  // namespace heddle::api
