// GET /documents/{id}/events: the document now and at each change, until it is ready, failed or
// deleted, as server-sent events named "document".
#include <utility>

#include "api/document_json.h"
#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "http/sse.h"

namespace heddle::api {
namespace {

async::Task<> follow(http::BodyWriter& out, std::shared_ptr<service::DocumentWatch> watch) {
    for (;;) {
        const auto document = co_await watch->next();
        std::string event;
        if (!document) {
            http::append_event(event, "error", to_text({{"detail", document.error().message()}}));
            co_await out.write(event);
            co_return;
        }
        if (!*document) co_return;
        http::append_event(event, "document", to_text(to_json(**document)));
        co_await out.write(event);
    }
}

async::Task<http::Response> document_events(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    auto watch = co_await context.services.documents->watch(
        call.identity.owner, std::string(call.request.parameter("id")));
    if (!watch) co_return error_response(call.request, watch.error());
    const std::shared_ptr<service::DocumentWatch> changes = std::move(*watch);
    co_return http::Response::events(
        [changes](http::BodyWriter& out) { return follow(out, changes); });
}

}  // namespace

Endpoint document_events_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/documents/{id}/events",
            .run = document_events,
            .summary = "Follow a document until it is ready or failed",
            .tag = "documents",
            .response_type = "text/event-stream"};
}

}  // namespace heddle::api
