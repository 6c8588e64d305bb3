// GET /collections, PUT and DELETE /collections/{name}.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/generate_text_request.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

nlohmann::json to_json(const search::CollectionInfo& collection) {
    return {{"name", collection.name},
            {"embedder", collection.embedder},
            {"dimensions", collection.dimensions},
            {"documents", collection.documents},
            {"chunks", collection.chunks},
            {"created_ms", collection.created_ms}};
}

Error no_collections() {
    return {ErrorCode::kUnavailable, "this server keeps no collections"};
}

Result<std::string> name_of(const Call& call) {
    std::string name(call.request.parameter("name"));
    if (is_collection_name(name)) return name;
    return fail(Error(ErrorCode::kInvalidArgument,
                      "a collection's name has 1 to 64 of the characters A-Z a-z 0-9 _ -")
                    .with_param("name"));
}

async::Task<http::Response> collections(Context& context, Call call) {
    if (!context.services.collections) co_return error_response(call.request, no_collections());
    const auto list = co_await context.services.collections->list(call.identity.owner);
    if (!list) co_return error_response(call.request, list.error());
    nlohmann::json items = nlohmann::json::array();
    for (const search::CollectionInfo& collection : *list) items.push_back(to_json(collection));
    co_return http::Response::json(200, to_text({{"collections", std::move(items)}}));
}

async::Task<http::Response> collection_put(Context& context, Call call) {
    if (!context.services.collections) co_return error_response(call.request, no_collections());
    auto name = name_of(call);
    if (!name) co_return error_response(call.request, name.error());
    const auto collection =
        co_await context.services.collections->create(call.identity.owner, std::move(*name));
    if (!collection) co_return error_response(call.request, collection.error());
    co_return http::Response::json(200, to_text(to_json(*collection)));
}

async::Task<http::Response> collection_delete(Context& context, Call call) {
    if (!context.services.collections) co_return error_response(call.request, no_collections());
    auto name = name_of(call);
    if (!name) co_return error_response(call.request, name.error());
    const auto removed =
        co_await context.services.collections->remove(call.identity.owner, std::move(*name));
    if (!removed) co_return error_response(call.request, removed.error());
    co_return http::Response::empty(204);
}

}  // namespace

Endpoint collections_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/collections",
            .run = collections,
            .summary = "The owner's collections",
            .tag = "collections"};
}

Endpoint collection_put_endpoint() {
    return {.method = http::Method::kPut,
            .pattern = "/collections/{name}",
            .run = collection_put,
            .summary = "Make a collection, or show the one that is there",
            .tag = "collections"};
}

Endpoint collection_delete_endpoint() {
    return {.method = http::Method::kDelete,
            .pattern = "/collections/{name}",
            .run = collection_delete,
            .summary = "Delete an empty collection",
            .tag = "collections",
            .success_status = 204};
}

}  // namespace heddle::api
