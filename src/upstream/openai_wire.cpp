#include "upstream/openai_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "base/check.h"

namespace heddle::upstream {
namespace {

namespace dom = simdjson::dom;

// Prompts times answers, the most that can be asked for at once.
constexpr std::uint32_t kChoicesMax = 128 * 128;

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
    ChatUsage counted{count_at(element, "prompt_tokens"), count_at(element, "completion_tokens")};
    dom::element details;
    if (element["prompt_tokens_details"].get(details) == simdjson::SUCCESS && details.is_object())
        counted.cached_tokens = count_at(details, "cached_tokens");
    return counted;
}

std::vector<ToolCallText> tool_calls_of(const dom::element& body) {
    std::vector<ToolCallText> calls;
    dom::array list;
    if (body["tool_calls"].get(list) != simdjson::SUCCESS) return calls;
    for (const dom::element item : list) {
        ToolCallText call;
        std::uint64_t index = calls.size();
        static_cast<void>(item["index"].get(index));
        call.index = static_cast<std::uint32_t>(std::min<std::uint64_t>(index, UINT32_MAX));
        call.id = string_at(item, "id");
        dom::element function;
        if (item["function"].get(function) == simdjson::SUCCESS && function.is_object()) {
            call.name = string_at(function, "name");
            call.arguments = string_at(function, "arguments");
        }
        calls.push_back(std::move(call));
    }
    return calls;
}

// {"token", "logprob", "bytes"}: the bytes where the server tells them.
TokenLogprob logprob_of(const dom::element& entry) {
    TokenLogprob token;
    dom::array bytes;
    if (entry["bytes"].get(bytes) == simdjson::SUCCESS) {
        for (const dom::element value : bytes) {
            std::uint64_t byte = 0;
            if (value.get(byte) == simdjson::SUCCESS && byte < 256)
                token.bytes += static_cast<char>(byte);
        }
    } else {
        token.bytes = string_at(entry, "token");
    }
    double logprob = 0;
    if (entry["logprob"].get(logprob) == simdjson::SUCCESS)
        token.logprob = static_cast<float>(logprob);
    return token;
}

// {"content": [{"token", "logprob", "bytes", "top_logprobs": […]}, …]}
std::vector<TokenLogprobs> chat_logprobs(const dom::element& logprobs) {
    std::vector<TokenLogprobs> tokens;
    dom::array content;
    if (logprobs["content"].get(content) != simdjson::SUCCESS) return tokens;
    for (const dom::element entry : content) {
        if (!entry.is_object()) continue;
        TokenLogprobs token{logprob_of(entry), {}};
        dom::array top;
        if (entry["top_logprobs"].get(top) == simdjson::SUCCESS) {
            for (const dom::element other : top)
                if (other.is_object()) token.top.push_back(logprob_of(other));
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

// {"tokens": […], "token_logprobs": […], "top_logprobs": [{token: logprob}, …]}
std::vector<TokenLogprobs> text_logprobs(const dom::element& logprobs) {
    std::vector<TokenLogprobs> tokens;
    dom::array names;
    if (logprobs["tokens"].get(names) != simdjson::SUCCESS) return tokens;
    std::size_t place = 0;
    for (const dom::element name : names) {
        TokenLogprobs token;
        std::string_view text;
        if (name.get(text) == simdjson::SUCCESS) token.token.bytes = text;
        double logprob = 0;
        if (logprobs["token_logprobs"].at(place).get(logprob) == simdjson::SUCCESS)
            token.token.logprob = static_cast<float>(logprob);
        dom::object top;
        if (logprobs["top_logprobs"].at(place).get(top) == simdjson::SUCCESS) {
            for (const auto& [other, value] : top) {
                if (value.get(logprob) == simdjson::SUCCESS)
                    token.top.push_back({std::string(other), static_cast<float>(logprob)});
            }
        }
        tokens.push_back(std::move(token));
        ++place;
    }
    return tokens;
}

// Chat answers have their text in `delta` or `message`, completions have it in the choice.
ChoicePiece choice_of(const dom::element& choice, std::size_t place) {
    ChoicePiece piece;
    std::uint64_t index = place;
    static_cast<void>(choice["index"].get(index));
    piece.index = static_cast<std::uint32_t>(std::min<std::uint64_t>(index, UINT32_MAX));
    dom::element body;
    const bool is_chat = (choice["delta"].get(body) == simdjson::SUCCESS && body.is_object()) ||
                         (choice["message"].get(body) == simdjson::SUCCESS && body.is_object());
    if (is_chat) {
        piece.text = string_at(body, "content");
        piece.tool_calls = tool_calls_of(body);
    } else {
        piece.text = string_at(choice, "text");
    }
    dom::element logprobs;
    if (choice["logprobs"].get(logprobs) == simdjson::SUCCESS && logprobs.is_object()) {
        piece.tokens = chat_logprobs(logprobs);
        if (piece.tokens.empty()) piece.tokens = text_logprobs(logprobs);
    }
    piece.finish_reason = string_at(choice, "finish_reason");
    return piece;
}

nlohmann::json message_json(const ChatMessage& message) {
    nlohmann::json json = {{"role", message.role}, {"content", message.content}};
    if (!message.tool_call_id.empty()) json["tool_call_id"] = message.tool_call_id;
    for (const ToolCallText& call : message.tool_calls) {
        json["tool_calls"].push_back(
            {{"id", call.id},
             {"type", "function"},
             {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    return json;
}

nlohmann::json prompt_json(const std::vector<TextPrompt>& prompts) {
    nlohmann::json list = nlohmann::json::array();
    for (const TextPrompt& prompt : prompts) {
        list.push_back(prompt.tokens.empty() ? nlohmann::json(prompt.text)
                                             : nlohmann::json(prompt.tokens));
    }
    return prompts.size() == 1 ? list.front() : list;
}

}  // namespace

std::string encode_chat(const ChatCall& call, bool stream) {
    nlohmann::json body = {
        {"model", call.model}, {"temperature", call.temperature}, {"stream", stream}};
    if (call.prompts.empty()) {
        nlohmann::json messages = nlohmann::json::array();
        for (const ChatMessage& message : call.messages) messages.push_back(message_json(message));
        body["messages"] = std::move(messages);
    } else {
        body["prompt"] = prompt_json(call.prompts);
    }
    if (call.top_p != 1.0) body["top_p"] = call.top_p;
    if (call.tokens_max) body["max_tokens"] = *call.tokens_max;
    if (call.seed) body["seed"] = *call.seed;
    if (!call.stop.empty()) body["stop"] = call.stop;
    if (call.presence_penalty != 0) body["presence_penalty"] = call.presence_penalty;
    if (call.frequency_penalty != 0) body["frequency_penalty"] = call.frequency_penalty;
    for (const auto& [name, json] : call.fields) {
        nlohmann::json value = nlohmann::json::parse(json, nullptr, false);
        HEDDLE_CHECK(!value.is_discarded(), "further fields are valid JSON");
        body[name] = std::move(value);
    }
    if (stream) body["stream_options"] = {{"include_usage", true}};
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_string(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string encode_embeddings(const std::string& model, const std::vector<std::string>& inputs) {
    const nlohmann::json body = {{"model", model}, {"input", inputs}, {"encoding_format", "float"}};
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<ChatPiece> decode_chat(std::string_view data) {
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
        if (!choice.is_object()) return malformed("a choice is not an object");
        piece.choices.push_back(choice_of(choice, piece.choices.size()));
        if (piece.choices.back().index >= kChoicesMax) return malformed("a choice out of range");
    }
    return piece;
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
