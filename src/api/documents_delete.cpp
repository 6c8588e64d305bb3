// POST /documents/delete: many documents at once. What is not there is named, and no error.
#include <nlohmann/json.hpp>

#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

constexpr std::size_t kDocumentsMax = 1000;

async::Task<Result<nlohmann::json>> remove_all(Context& context, Call call) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    HEDDLE_CO_TRY(const auto ids, object.texts("documents", kDocumentsMax, {1, 64}));
    if (ids.empty()) co_return field_error("documents", "Field required", "missing");
    nlohmann::json deleted = nlohmann::json::array();
    nlohmann::json missing = nlohmann::json::array();
    for (const std::string& id : ids) {
        const auto removed = co_await context.services.documents->remove(call.identity.owner, id);
        if (!removed && removed.error().code() != ErrorCode::kNotFound)
            co_return fail(removed.error());
        (removed ? deleted : missing).push_back(id);
    }
    co_return nlohmann::json{{"deleted", std::move(deleted)}, {"missing", std::move(missing)}};
}

async::Task<http::Response> documents_delete(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    const auto outcome = co_await remove_all(context, call);
    if (!outcome) co_return error_response(call.request, outcome.error());
    co_return http::Response::json(200, to_text(*outcome));
}

}  // namespace

Endpoint documents_delete_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/documents/delete",
            .run = documents_delete,
            .summary = "Delete up to 1000 documents with their chunks and vectors",
            .tag = "documents",
            .request_schema = R"({"type": "object", "required": ["documents"], "properties": {
                "documents": {"type": "array", "items": {"type": "string"}, "maxItems": 1000}}})"};
}

}  // namespace heddle::api
