#include "api/chat_request.h"

#include <algorithm>
#include <utility>

#include "api/generate_text_request.h"

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMessagesMax = 1000;
constexpr std::size_t kContentBytesMax = std::size_t{1} << 20;
constexpr std::size_t kContentPartsMax = 100;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kStopsMax = 4;
constexpr std::size_t kStopBytesMax = 64;
constexpr std::int64_t kTokensMax = 1'000'000;

tl::unexpected<Error> unsupported(const JsonObject& object, std::string_view name) {
    return field_error(object.path_of(name), "`" + std::string(name) + "` is not supported here",
                       "unsupported_parameter");
}

Result<service::Role> decode_role(const JsonObject& message) {
    HEDDLE_TRY(const std::string role, message.required_text("role"));
    if (role == "system" || role == "developer") return service::Role::kSystem;
    if (role == "user") return service::Role::kUser;
    if (role == "assistant") return service::Role::kAssistant;
    if (role == "tool") return service::Role::kTool;
    return field_error(message.path_of("role"),
                       "Input should be 'system', 'developer', 'user', 'assistant' or 'tool'",
                       "literal_error");
}

// A string, or a list of {"type": "text", "text": …}.
Result<std::string> decode_content(const JsonObject& message) {
    const auto content = message.find("content");
    if (!content || content->is_string()) {
        HEDDLE_TRY(auto text, message.text("content", {0, kContentBytesMax}));
        return std::move(text).value_or("");
    }
    HEDDLE_TRY(const auto parts, message.objects("content", 0, kContentPartsMax));
    std::string all;
    for (const JsonObject& part : parts) {
        HEDDLE_TRY(const std::string type, part.required_text("type"));
        if (type != "text") {
            return field_error(part.path_of("type"), "Only text content is supported here",
                               "unsupported_content");
        }
        HEDDLE_TRY(const std::string text, part.required_text("text", {0, kContentBytesMax}));
        all += text;
    }
    return all;
}

Result<> decode_messages(const JsonObject& object, service::AnswerRequest& answer) {
    HEDDLE_TRY(const auto messages, object.objects("messages", 1, kMessagesMax));
    for (const JsonObject& message : messages) {
        HEDDLE_TRY(const service::Role role, decode_role(message));
        HEDDLE_TRY(std::string content, decode_content(message));
        answer.messages.push_back({role, std::move(content)});
    }
    return {};
}

Result<> decode_sampling(const JsonObject& object, service::SamplingOptions& sampling) {
    HEDDLE_TRY(const auto temperature, object.number("temperature", 0, 2));
    if (temperature) sampling.temperature = *temperature;
    HEDDLE_TRY(const auto top_p, object.number("top_p", 0, 1));
    if (top_p) sampling.top_p = *top_p;
    HEDDLE_TRY(const auto newer_max, object.integer("max_completion_tokens", 1, kTokensMax));
    HEDDLE_TRY(const auto older_max, object.integer("max_tokens", 1, kTokensMax));
    const auto tokens_max = newer_max ? newer_max : older_max;
    if (tokens_max) sampling.tokens_max = static_cast<std::uint32_t>(*tokens_max);
    HEDDLE_TRY(const auto seed, object.integer("seed", INT64_MIN, INT64_MAX));
    if (seed) sampling.seed = static_cast<std::uint64_t>(*seed);
    HEDDLE_TRY(sampling.stop, object.texts("stop", kStopsMax, {1, kStopBytesMax}, true));
    HEDDLE_TRY(const auto presence, object.number("presence_penalty", -2, 2));
    if (presence) sampling.presence_penalty = *presence;
    HEDDLE_TRY(const auto frequency, object.number("frequency_penalty", -2, 2));
    if (frequency) sampling.frequency_penalty = *frequency;
    return {};
}

bool is_empty_list(const dom::element& element) {
    dom::array array;
    return element.get(array) == simdjson::SUCCESS && array.size() == 0;
}

Result<> refuse_unsupported(const JsonObject& object) {
    HEDDLE_TRY(const auto n, object.integer("n", 1, 8));
    if (n.value_or(1) != 1) return unsupported(object, "n");
    for (const std::string_view name : {"tools", "functions"}) {
        const auto list = object.find(name);
        if (list && !is_empty_list(*list)) return unsupported(object, name);
    }
    HEDDLE_TRY(const bool logprobs, object.boolean("logprobs", false));
    if (logprobs) return unsupported(object, "logprobs");
    if (object.has("logit_bias")) return unsupported(object, "logit_bias");
    HEDDLE_TRY(const auto format, object.object("response_format"));
    if (!format) return {};
    HEDDLE_TRY(const auto type, format->text("type"));
    if (type.value_or("text") != "text") return unsupported(object, "response_format");
    return {};
}

// {"heddle": {"ground": true, "collection"?, "documents"?}}
Result<> decode_extension(const JsonObject& object, service::GroundingOptions& grounding) {
    grounding.enabled = false;
    HEDDLE_TRY(const auto extension, object.object("heddle"));
    if (!extension) return {};
    HEDDLE_TRY(grounding.enabled, extension->boolean("ground", false));
    return decode_grounding(*extension, grounding);
}

Result<> decode_common(const JsonObject& object, ChatRequest& request) {
    HEDDLE_TRY(auto model, object.text("model", {0, kNameBytesMax}));
    request.answer.model = std::move(model).value_or("");
    HEDDLE_TRY_VOID(decode_sampling(object, request.answer.sampling));
    HEDDLE_TRY_VOID(decode_extension(object, request.answer.grounding));
    HEDDLE_TRY(request.stream, object.boolean("stream", false));
    HEDDLE_TRY(const auto options, object.object("stream_options"));
    if (options) {
        HEDDLE_TRY(request.include_usage, options->boolean("include_usage", false));
    }
    return {};
}

}  // namespace

const std::string_view kChatSchema = R"({
  "type": "object", "required": ["messages"],
  "properties": {
    "model": {"type": "string"},
    "messages": {"type": "array", "minItems": 1, "items": {"type": "object",
      "required": ["role"], "properties": {
        "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {"anyOf": [{"type": "string"}, {"type": "array"}]}}}},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 0.7},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "max_tokens": {"type": "integer", "minimum": 1},
    "max_completion_tokens": {"type": "integer", "minimum": 1},
    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4}]},
    "seed": {"type": "integer"},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "stream": {"type": "boolean", "default": false},
    "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
    "heddle": {"type": "object",
      "description": "Grounds the answer in the owner's documents and the pages it names",
      "properties": {"ground": {"type": "boolean"}, "collection": {"type": "string"},
        "documents": {"type": "array", "items": {"type": "string"}}}}
  }})";

const std::string_view kCompletionSchema = R"({
  "type": "object", "required": ["prompt"],
  "properties": {
    "model": {"type": "string"},
    "prompt": {"type": "string", "minLength": 1},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "max_tokens": {"type": "integer", "minimum": 1},
    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4}]},
    "stream": {"type": "boolean", "default": false}
  }})";

Result<ChatRequest> decode_chat(const JsonBody& body, const Context& context,
                                const service::Identity& identity) {
    HEDDLE_TRY(const JsonObject object, body.object());
    ChatRequest request;
    request.answer.owner = identity.owner;
    request.answer.deadline = async::Deadline::after(context.options.answer_timeout);
    HEDDLE_TRY_VOID(decode_messages(object, request.answer));
    HEDDLE_TRY_VOID(decode_common(object, request));
    HEDDLE_TRY_VOID(refuse_unsupported(object));
    return request;
}

Result<ChatRequest> decode_completion(const JsonBody& body, const Context& context,
                                      const service::Identity& identity) {
    HEDDLE_TRY(const JsonObject object, body.object());
    ChatRequest request;
    request.answer.owner = identity.owner;
    request.answer.deadline = async::Deadline::after(context.options.answer_timeout);
    HEDDLE_TRY(std::string prompt, object.required_text("prompt", {1, kContentBytesMax}));
    request.answer.messages.push_back({service::Role::kUser, std::move(prompt)});
    HEDDLE_TRY_VOID(decode_common(object, request));
    HEDDLE_TRY(const auto n, object.integer("n", 1, 8));
    if (n.value_or(1) != 1) return unsupported(object, "n");
    for (const std::string_view name : {"suffix", "logit_bias", "logprobs"}) {
        if (object.has(name)) return unsupported(object, name);
    }
    return request;
}

}  // namespace heddle::api
