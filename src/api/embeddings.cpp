// POST /v1/embeddings.
#include <bit>
#include <cstring>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/base64.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/json_text.h"
#include "async/offload.h"

namespace heddle::api {
namespace {

constexpr std::size_t kInputsMax = 2048;

struct EmbeddingsRequest {
    std::string model;
    std::vector<std::string> inputs;
    bool base64 = false;
};

Result<EmbeddingsRequest> decode(const JsonBody& body) {
    HEDDLE_TRY(const JsonObject object, body.object());
    EmbeddingsRequest request;
    HEDDLE_TRY(auto model, object.text("model", {0, 200}));
    request.model = std::move(model).value_or("");
    if (!object.has("input")) return field_error("input", "Field required", "missing");
    HEDDLE_TRY(request.inputs, object.texts("input", kInputsMax, {}, true));
    if (request.inputs.empty()) {
        return field_error("input", "List should have at least 1 item", "too_short");
    }
    HEDDLE_TRY(const auto format, object.text("encoding_format"));
    if (format && *format != "float" && *format != "base64") {
        return field_error("encoding_format", "Input should be 'float' or 'base64'",
                           "literal_error");
    }
    request.base64 = format == "base64";
    if (object.has("dimensions")) {
        return field_error("dimensions", "`dimensions` is not supported here",
                           "unsupported_parameter");
    }
    return request;
}

// Little-endian fp32, as OpenAI's clients ask for it unless told otherwise.
std::string packed(const std::vector<float>& vector) {
    static_assert(std::endian::native == std::endian::little);
    std::string bytes(vector.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), vector.data(), bytes.size());
    return base64_encode(bytes);
}

std::string encode(const service::EmbeddingBatch& batch, const std::string& model, bool base64) {
    nlohmann::json data = nlohmann::json::array();
    for (std::size_t i = 0; i < batch.vectors.size(); ++i) {
        nlohmann::json item = {{"object", "embedding"}, {"index", i}};
        if (base64) {
            item["embedding"] = packed(batch.vectors[i]);
        } else {
            item["embedding"] = batch.vectors[i];
        }
        data.push_back(std::move(item));
    }
    const nlohmann::json usage = {{"prompt_tokens", batch.tokens}, {"total_tokens", batch.tokens}};
    return to_text(
        {{"object", "list"}, {"data", std::move(data)}, {"model", model}, {"usage", usage}});
}

async::Task<http::Response> embeddings(Context& context, Call call) {
    const http::Request& request = call.request;
    const auto names = context.services.embeddings ? context.services.embeddings->models()
                                                   : std::vector<std::string>{};
    if (names.empty()) {
        co_return error_response(
            request, Error(ErrorCode::kUnavailable, "this server has no embedding model"));
    }
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(request, body.error());
    auto decoded = decode(*body);
    if (!decoded) co_return error_response(request, decoded.error());
    const std::string model = decoded->model.empty() ? names.front() : decoded->model;
    const auto batch =
        co_await context.services.embeddings->embed(model, std::move(decoded->inputs));
    if (!batch) co_return error_response(request, batch.error());
    // Thousands of numbers as text take tens of milliseconds.
    const auto encode_batch = [&] { return encode(*batch, model, decoded->base64); };
    co_return http::Response::json(200, co_await async::offload(context.workers, encode_batch));
}

}  // namespace

Endpoint embeddings_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/v1/embeddings",
            .run = embeddings,
            .summary = "Embed texts with the local encoder",
            .tag = "openai",
            .request_schema = R"({"type": "object", "required": ["input"], "properties": {
                "model": {"type": "string"},
                "input": {"anyOf": [{"type": "string"},
                                    {"type": "array", "items": {"type": "string"}}]},
                "encoding_format": {"enum": ["float", "base64"], "default": "float"}}})"};
}

}  // namespace heddle::api
