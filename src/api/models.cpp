// GET /v1/models and /v1/models/{id}: what can be named in `model`.
#include <nlohmann/json.hpp>

#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

nlohmann::json to_json(const service::ModelInfo& model) {
    nlohmann::json json = {{"id", model.id},
                           {"object", "model"},
                           {"created", model.created_s},
                           {"owned_by", model.owned_by}};
    if (model.context_tokens > 0) json["max_model_len"] = model.context_tokens;  // vLLM's name
    return json;
}

nlohmann::json all_models(const Context& context) {
    nlohmann::json list = nlohmann::json::array();
    for (const service::ModelInfo& model : context.services.answerer->models()) {
        list.push_back(to_json(model));
    }
    if (context.services.embeddings) {
        for (const std::string& name : context.services.embeddings->models()) {
            service::ModelInfo embedder;
            embedder.id = name;
            embedder.owned_by = "heddle";
            list.push_back(to_json(embedder));
        }
    }
    if (context.services.reranker) {
        service::ModelInfo reranker;
        reranker.id = context.services.reranker->name();
        reranker.owned_by = "heddle";
        list.push_back(to_json(reranker));
    }
    return list;
}

async::Task<http::Response> models(Context& context, Call /*call*/) {
    co_return http::Response::json(200,
                                   to_text({{"object", "list"}, {"data", all_models(context)}}));
}

async::Task<http::Response> model(Context& context, Call call) {
    const std::string_view wanted = call.request.parameter("id");
    for (const auto& model : all_models(context)) {
        if (model["id"] == wanted) co_return http::Response::json(200, to_text(model));
    }
    Error error(ErrorCode::kNotFound, "there is no model of that name");
    co_return error_response(call.request,
                             std::move(error).with_reason("model_not_found").with_param("model"));
}

}  // namespace

Endpoint models_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/v1/models",
            .run = models,
            .summary = "The models that can be asked; the first is the default",
            .tag = "openai"};
}

Endpoint model_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/v1/models/{id*}",
            .run = model,
            .summary = "One model",
            .tag = "openai"};
}

}  // namespace heddle::api
