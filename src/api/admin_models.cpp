// GET /admin/models, POST /admin/models/load and /admin/models/unload: what is in memory, and
// whether it should be. Names may hold slashes, so they stand in the body.
#include <utility>

#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

constexpr std::string_view kNameSchema = R"({"type": "object", "required": ["model"],
    "properties": {"model": {"type": "string"}}})";

nlohmann::json to_json(const service::ModelStatus& model) {
    nlohmann::json json = {{"id", model.id},
                           {"kind", service::to_string(model.kind)},
                           {"loaded", model.loaded},
                           {"can_change", model.can_change},
                           {"memory_bytes", model.memory_bytes}};
    if (model.context_tokens > 0) json["context_tokens"] = model.context_tokens;
    return json;
}

async::Task<http::Response> admin_models(Context& context, Call /*call*/) {
    const Operation& operation = context.services.operation;
    nlohmann::json list = nlohmann::json::array();
    if (operation.models) {
        for (const service::ModelStatus& model : operation.models()) list.push_back(to_json(model));
    }
    nlohmann::json body = {{"models", std::move(list)}};
    if (operation.resident_bytes) body["resident_bytes"] = operation.resident_bytes();
    co_return http::Response::json(200, to_text(body));
}

async::Task<Result<>> change(Context& context, Call call, bool load) {
    HEDDLE_CO_TRY(const JsonBody body, co_await JsonBody::read(call.request));
    HEDDLE_CO_TRY(const JsonObject object, body.object());
    HEDDLE_CO_TRY(std::string model, object.required_text("model", {1, 200}));
    if (!context.services.operation.change_model) {
        co_return fail(ErrorCode::kConflict, "this model is loaded and unloaded with the server");
    }
    co_return co_await context.services.operation.change_model(std::move(model), load);
}

async::Task<http::Response> respond(Context& context, Call call, bool load) {
    const auto changed = co_await change(context, call, load);
    if (!changed) co_return error_response(call.request, changed.error());
    co_return http::Response::empty(204);
}

async::Task<http::Response> admin_model_load(Context& context, Call call) {
    co_return co_await respond(context, call, true);
}

async::Task<http::Response> admin_model_unload(Context& context, Call call) {
    co_return co_await respond(context, call, false);
}

Endpoint changing(std::string_view pattern, Endpoint::Run run, std::string_view summary) {
    return {.method = http::Method::kPost,
            .pattern = pattern,
            .run = run,
            .summary = summary,
            .tag = "admin",
            .request_schema = kNameSchema,
            .success_status = 204,
            .for_admins = true};
}

}  // namespace

Endpoint admin_models_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/admin/models",
            .run = admin_models,
            .summary = "The models with their memory",
            .tag = "admin",
            .for_admins = true};
}

Endpoint admin_model_load_endpoint() {
    return changing("/admin/models/load", admin_model_load, "Load a model");
}

Endpoint admin_model_unload_endpoint() {
    return changing("/admin/models/unload", admin_model_unload,
                    "Unload a model and free its memory");
}

}  // namespace heddle::api
