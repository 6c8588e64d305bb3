// POST /documents: several files in one form. Each is accepted or refused by itself.
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "api/upload_form.h"

namespace heddle::api {
namespace {

constexpr std::size_t kFilesMax = 100;

async::Task<http::Response> documents_upload(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    const auto files = co_await receive_files(context, call, kFilesMax);
    if (!files) co_return error_response(call.request, files.error());
    nlohmann::json items = nlohmann::json::array();
    for (const ReceivedFile& file : *files) {
        if (file.outcome)
            items.push_back(accepted_json(*file.outcome));
        else
            items.push_back({{"filename", file.name}, {"error", file.outcome.error().message()}});
    }
    co_return http::Response::json(202, to_text({{"documents", std::move(items)}}));
}

}  // namespace

Endpoint documents_upload_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/documents",
            .run = documents_upload,
            .summary = "Store up to 100 documents; each is accepted or refused by itself",
            .tag = "documents",
            .request_schema = R"({"type": "object", "required": ["file"], "properties": {
                "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                "collection": {"type": "string", "default": "knowledgebase"}}})",
            .request_type = "multipart/form-data",
            .success_status = 202,
            .query = {{"collection", "string", "Where the documents go"}},
            .is_upload = true};
}

}  // namespace heddle::api
