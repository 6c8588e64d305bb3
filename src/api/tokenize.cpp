// POST /tokenize and /detokenize: a model's tokenizer, in vLLM's shape.
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/chat_request.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/json_text.h"
#include "api/tool_request.h"
#include "async/offload.h"
#include "service/local_models.h"

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kTextBytesMax = std::size_t{1} << 20;
constexpr std::size_t kTokensMax = 1'000'000;

struct Decoded {
    service::TokeniseRequest request;
    bool wants_pieces = false;
};

Result<Decoded> decode_tokenize(const JsonBody& body) {
    HEDDLE_TRY(const JsonObject object, body.object());
    Decoded decoded;
    service::TokeniseRequest& request = decoded.request;
    HEDDLE_TRY(auto model, object.text("model", {0, 200}));
    request.model = std::move(model).value_or("");
    HEDDLE_TRY(auto prompt, object.text("prompt", {0, kTextBytesMax}));
    if (prompt.has_value() == object.has("messages")) {
        return field_error("prompt", "Either `prompt` or `messages` is required", "missing");
    }
    request.text = std::move(prompt).value_or("");
    if (object.has("messages")) {
        HEDDLE_TRY(request.messages, decode_messages(object));
        HEDDLE_TRY(request.tool_use, decode_tool_use(object));
        HEDDLE_TRY(request.template_arguments, decode_template_arguments(object));
    }
    HEDDLE_TRY(request.add_special, object.boolean("add_special_tokens", true));
    HEDDLE_TRY(decoded.wants_pieces, object.boolean("return_token_strs", false));
    return decoded;
}

Result<std::vector<std::int32_t>> decode_token_list(const JsonObject& object) {
    const auto wrong = [] {
        return field_error("tokens", "Input should be a list of token ids", "value_error");
    };
    const auto found = object.find("tokens");
    dom::array list;
    if (!found) return field_error("tokens", "Field required", "missing");
    if (found->get(list) != simdjson::SUCCESS || list.size() > kTokensMax) return wrong();
    std::vector<std::int32_t> tokens;
    for (const dom::element element : list) {
        std::int64_t id = 0;
        if (element.get(id) != simdjson::SUCCESS || id < 0 ||
            id > std::numeric_limits<std::int32_t>::max())
            return wrong();
        tokens.push_back(static_cast<std::int32_t>(id));
    }
    return tokens;
}

std::string tokens_json(const service::Tokenised& result, bool wants_pieces) {
    nlohmann::json json = {{"count", result.tokens.size()},
                           {"max_model_len", result.context_tokens},
                           {"tokens", result.tokens},
                           {"token_strs", nullptr}};
    if (wants_pieces) json["token_strs"] = result.pieces;
    return to_text(json);
}

Error no_model() {
    return Error(ErrorCode::kUnavailable, "no model runs in this server");
}

async::Task<http::Response> tokenize(Context& context, Call call) {
    if (!context.services.models) co_return error_response(call.request, no_model());
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(call.request, body.error());
    auto decoded = decode_tokenize(*body);
    if (!decoded) co_return error_response(call.request, decoded.error());
    const auto result = co_await context.services.models->tokenise(std::move(decoded->request));
    if (!result) co_return error_response(call.request, result.error());
    const auto encode = [&] { return tokens_json(*result, decoded->wants_pieces); };
    co_return http::Response::json(200, co_await async::offload(context.workers, encode));
}

Result<std::pair<std::string, std::vector<std::int32_t>>> decode_detokenize(const JsonBody& body) {
    HEDDLE_TRY(const JsonObject object, body.object());
    HEDDLE_TRY(auto model, object.text("model", {0, 200}));
    HEDDLE_TRY(auto tokens, decode_token_list(object));
    return std::pair(std::move(model).value_or(""), std::move(tokens));
}

async::Task<http::Response> detokenize(Context& context, Call call) {
    if (!context.services.models) co_return error_response(call.request, no_model());
    const auto body = co_await JsonBody::read(call.request);
    if (!body) co_return error_response(call.request, body.error());
    auto decoded = decode_detokenize(*body);
    if (!decoded) co_return error_response(call.request, decoded.error());
    auto text = co_await context.services.models->detokenise(std::move(decoded->first),
                                                             std::move(decoded->second));
    if (!text) co_return error_response(call.request, text.error());
    co_return http::Response::json(200, to_text({{"prompt", std::move(*text)}}));
}

}  // namespace

Endpoint tokenize_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/tokenize",
            .run = tokenize,
            .summary = "The tokens of a text, or of a conversation as the model reads it",
            .tag = "models",
            .request_schema = R"({"type": "object", "properties": {
                "model": {"type": "string"},
                "prompt": {"type": "string"},
                "messages": {"type": "array", "items": {"type": "object"}},
                "tools": {"type": "array", "items": {"type": "object"}},
                "chat_template_kwargs": {"type": "object"},
                "add_special_tokens": {"type": "boolean", "default": true},
                "return_token_strs": {"type": "boolean", "default": false}}})"};
}

Endpoint detokenize_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/detokenize",
            .run = detokenize,
            .summary = "The text of tokens",
            .tag = "models",
            .request_schema = R"({"type": "object", "required": ["tokens"], "properties": {
                "model": {"type": "string"},
                "tokens": {"type": "array", "items": {"type": "integer"}}}})"};
}

}  // namespace heddle::api
