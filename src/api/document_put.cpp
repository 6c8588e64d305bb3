// PUT /documents/{id}: a new version of a document, its bytes as the request's body. The old one is
// found until the new one is ready, and stays when that cannot be read.
#include <utility>

#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "api/upload_form.h"

namespace heddle::api {
namespace {

async::Task<Result<service::UploadOutcome>> receive_version(Context& context, Call call) {
    service::Documents& documents = *context.services.documents;
    HEDDLE_CO_TRY(
        const auto old,
        co_await documents.get(call.identity.owner, std::string(call.request.parameter("id"))));
    service::UploadRequest file{.owner = call.identity.owner,
                                .collection = old.collection,
                                .name = old.name,
                                .content_type = std::string(call.request.header("content-type"))};
    HEDDLE_CO_TRY(const auto upload, co_await documents.upload(std::move(file)));
    for (;;) {
        HEDDLE_CO_TRY(const std::string_view bytes, co_await call.request.body().next());
        if (bytes.empty()) break;
        HEDDLE_CO_TRY_VOID(co_await upload->write(std::string(bytes)));
    }
    co_return co_await upload->finish();
}

async::Task<http::Response> document_put(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    const std::string old(call.request.parameter("id"));
    const auto outcome = co_await receive_version(context, call);
    if (!outcome) co_return error_response(call.request, outcome.error());
    nlohmann::json json = accepted_json(*outcome);
    if (outcome->document.id != old) json["replaces"] = old;
    http::Response response = http::Response::json(202, to_text(json));
    response.headers.set("Location", "/documents/" + outcome->document.id);
    co_return response;
}

}  // namespace

Endpoint document_put_endpoint() {
    return {.method = http::Method::kPut,
            .pattern = "/documents/{id}",
            .run = document_put,
            .summary = "Replace a document by a new version of it, in one step once that is ready",
            .tag = "documents",
            .request_schema = R"({"type": "string", "format": "binary"})",
            .request_type = "application/pdf",
            .success_status = 202,
            .is_upload = true};
}

}  // namespace heddle::api
