#include "upstream/openai_wire.h"

#include <fmt/format.h>

#include <cmath>

#include <nlohmann/json.hpp>
#include <simdjson.h>

namespace heddle::upstream {
namespace {

namespace dom = simdjson::dom;

tl::unexpected<Error> malformed(std::string_view what) {
    return fail(Error(ErrorCode::kUpstream,
                      fmt::format("the model server sent a malformed answer ({})", what))
                    .with_reason("upstream_malformed"));
}

// Keeps the parser that owns the element's memory.
struct Document {
    dom::parser parser;
    dom::element root;
};

Result<> parse(Document& document, std::string_view bytes) {
    if (document.parser.parse(bytes.data(), bytes.size()).get(document.root) != simdjson::SUCCESS)
        return malformed("not JSON");
    return {};
}

std::string string_at(const dom::element& object, std::string_view key) {
    std::string_view value;
    if (object[key].get(value) != simdjson::SUCCESS) return {};
    return std::string(value);
}

std::uint64_t count_at(const dom::element& object, std::string_view key) {
    std::uint64_t value = 0;
    if (object[key].get(value) != simdjson::SUCCESS) return 0;
    return value;
}

std::optional<ChatUsage> usage_of(const dom::element& root) {
    dom::object usage;
    if (root["usage"].get(usage) != simdjson::SUCCESS) return std::nullopt;
    const dom::element element = root["usage"].value_unsafe();
    return ChatUsage{count_at(element, "prompt_tokens"), count_at(element, "completion_tokens")};
}

// `part` is "delta" in a stream and "message" in a plain body.
Result<ChatPiece> piece_of(std::string_view data, std::string_view part) {
    Document document;
    HEDDLE_TRY_VOID(parse(document, data));
    const dom::element& root = document.root;
    if (!root.is_object()) return malformed("not an object");
    ChatPiece piece;
    piece.usage = usage_of(root);
    dom::element error;
    if (root["error"].get(error) == simdjson::SUCCESS && !error.is_null()) {
        piece.error = error.is_object() ? string_at(error, "message") : "unnamed error";
        if (piece.error.empty()) piece.error = "unnamed error";
        return piece;
    }
    dom::array choices;
    if (root["choices"].get(choices) != simdjson::SUCCESS) {
        if (piece.usage) return piece;
        return malformed("no choices");
    }
    for (const dom::element choice : choices) {
        dom::element body;
        if (choice[part].get(body) == simdjson::SUCCESS && body.is_object())
            piece.text += string_at(body, "content");
        piece.finish_reason = string_at(choice, "finish_reason");
        break;  // we never ask for more than one
    }
    return piece;
}

}  // namespace

std::string encode_chat(const ChatCall& call, bool stream) {
    nlohmann::json body = {
        {"model", call.model}, {"temperature", call.temperature}, {"stream", stream}};
    nlohmann::json messages = nlohmann::json::array();
    for (const ChatMessage& message : call.messages)
        messages.push_back({{"role", message.role}, {"content", message.content}});
    body["messages"] = std::move(messages);
    if (call.top_p != 1.0) body["top_p"] = call.top_p;
    if (call.tokens_max) body["max_tokens"] = *call.tokens_max;
    if (call.seed) body["seed"] = *call.seed;
    if (!call.stop.empty()) body["stop"] = call.stop;
    if (call.presence_penalty != 0) body["presence_penalty"] = call.presence_penalty;
    if (call.frequency_penalty != 0) body["frequency_penalty"] = call.frequency_penalty;
    if (stream) body["stream_options"] = {{"include_usage", true}};
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string encode_embeddings(const std::string& model, const std::vector<std::string>& inputs) {
    const nlohmann::json body = {{"model", model}, {"input", inputs}, {"encoding_format", "float"}};
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<ChatPiece> decode_chat_event(std::string_view data) {
    return piece_of(data, "delta");
}

Result<ChatPiece> decode_chat_body(std::string_view body) {
    return piece_of(body, "message");
}

Result<std::vector<UpstreamModel>> decode_models(std::string_view body) {
    Document document;
    HEDDLE_TRY_VOID(parse(document, body));
    dom::array data;
    if (document.root["data"].get(data) != simdjson::SUCCESS) return malformed("no data");
    std::vector<UpstreamModel> models;
    for (const dom::element item : data) {
        UpstreamModel model;
        model.id = string_at(item, "id");
        model.created_s = count_at(item, "created");
        const std::uint64_t window = count_at(item, "max_model_len");
        model.context_tokens = window <= UINT32_MAX ? static_cast<std::uint32_t>(window) : 0;
        if (!model.id.empty()) models.push_back(std::move(model));
    }
    return models;
}

Result<std::vector<std::vector<float>>> decode_embeddings(std::string_view body,
                                                          std::size_t count) {
    Document document;
    HEDDLE_TRY_VOID(parse(document, body));
    dom::array data;
    if (document.root["data"].get(data) != simdjson::SUCCESS) return malformed("no data");
    std::vector<std::vector<float>> vectors(count);
    std::size_t position = 0;
    for (const dom::element item : data) {
        std::uint64_t index = position++;
        static_cast<void>(item["index"].get(index));
        dom::array values;
        if (index >= count || !vectors[index].empty() ||
            item["embedding"].get(values) != simdjson::SUCCESS)
            return malformed("embeddings do not match their inputs");
        for (const dom::element value : values) {
            double number = 0;
            if (value.get(number) != simdjson::SUCCESS || !std::isfinite(number))
                return malformed("an embedding holds something that is not a number");
            vectors[index].push_back(static_cast<float>(number));
        }
    }
    for (const std::vector<float>& vector : vectors) {
        if (vector.empty() || vector.size() != vectors.front().size())
            return malformed("embeddings are missing or differ in length");
    }
    return vectors;
}

Error error_of_status(int status, std::string_view body, int retry_after_s) {
    Document document;
    std::string code;
    if (dom::element error; parse(document, body) && document.root.is_object() &&
                            document.root["error"].get(error) == simdjson::SUCCESS &&
                            error.is_object())
        code = string_at(error, "code");
    const auto make = [](ErrorCode kind, std::string message, std::string reason) {
        return Error(kind, std::move(message)).with_reason(std::move(reason));
    };
    if (code == "context_length_exceeded") {
        return make(ErrorCode::kInvalidArgument,
                    "the conversation is longer than the model's window", code);
    }
    switch (status) {
        case 401:
        case 403:
            return make(ErrorCode::kUpstream, "the model server refused our key",
                        "upstream_unauthorized");
        case 404:
            return make(ErrorCode::kNotFound, "the model server does not serve this model",
                        "model_not_found");
        case 400:
        case 422:
            return make(ErrorCode::kInvalidArgument, "the model server refused the request",
                        code.empty() ? "upstream_refused" : code);
        case 429:
            return make(ErrorCode::kUnavailable, "the model server is over its limits",
                        "upstream_rate_limited")
                .with_retry_after(retry_after_s);
        case 503:
            return make(ErrorCode::kUnavailable, "the model server is busy", "upstream_busy")
                .with_retry_after(retry_after_s);
        default:
            return make(ErrorCode::kUpstream,
                        fmt::format("the model server failed with status {}", status),
                        "upstream_failed");
    }
}

}  // namespace heddle::upstream
