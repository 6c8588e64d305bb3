#include "api/chat_request.h"

#include <limits>
#include <utility>

#include "api/constraint_request.h"
#include "api/generate_text_request.h"
#include "api/sampling_request.h"
#include "api/tool_request.h"

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMessagesMax = 1000;
constexpr std::size_t kContentBytesMax = std::size_t{1} << 20;
constexpr std::size_t kContentPartsMax = 100;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kPromptsMax = 128;
constexpr std::size_t kPromptTokensMax = 1'000'000;
constexpr int kTopLogprobsMax = 20;

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

// Chat: a switch and a number.
Result<> decode_chat_logprobs(const JsonObject& object, service::SamplingOptions& sampling) {
    HEDDLE_TRY(sampling.logprobs, object.boolean("logprobs", false));
    HEDDLE_TRY(const auto top, object.integer("top_logprobs", 0, kTopLogprobsMax));
    sampling.top_logprobs = static_cast<int>(top.value_or(0));
    if (sampling.top_logprobs > 0 && !sampling.logprobs) {
        return field_error(object.path_of("top_logprobs"), "Needs `logprobs` to be true",
                           "value_error");
    }
    return {};
}

// Completions: the number alone.
Result<> decode_text_logprobs(const JsonObject& object, service::SamplingOptions& sampling) {
    HEDDLE_TRY(const auto top, object.integer("logprobs", 0, kTopLogprobsMax));
    sampling.logprobs = top.has_value();
    sampling.top_logprobs = static_cast<int>(top.value_or(0));
    return {};
}

// Switches that are on unless they are set to false, which we do not honour.
Result<> refuse_switched_off(const JsonObject& object,
                             std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        HEDDLE_TRY(const bool on, object.boolean(name, true));
        if (!on) return unsupported_field(object, name);
    }
    return {};
}

Result<> refuse_in_both(const JsonObject& object) {
    HEDDLE_TRY_VOID(refuse_switched_off(object, {"skip_special_tokens"}));
    return refuse_unsupported(
        object, {"use_beam_search", "prompt_logprobs", "include_stop_str_in_output",
                 "allowed_token_ids", "bad_words", "logits_processors", "truncate_prompt_tokens",
                 "return_token_ids", "return_tokens_as_token_ids"});
}

Result<> refuse_in_chat(const JsonObject& object) {
    HEDDLE_TRY_VOID(refuse_switched_off(object, {"add_generation_prompt"}));
    HEDDLE_TRY(const auto modalities, object.texts("modalities", 8, {}));
    for (const std::string& kind : modalities) {
        if (kind != "text") return unsupported_field(object, "modalities");
    }
    return refuse_unsupported(
        object, {"functions", "function_call", "audio", "prediction", "web_search_options",
                 "chat_template", "continue_final_message", "documents", "echo"});
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
    HEDDLE_TRY(request.answer.sampling, decode_sampling(object));
    HEDDLE_TRY(request.answer.constraint, decode_constraint(object));
    HEDDLE_TRY_VOID(decode_extension(object, request.answer.grounding));
    HEDDLE_TRY(request.stream, object.boolean("stream", false));
    HEDDLE_TRY(const auto options, object.object("stream_options"));
    if (options) {
        HEDDLE_TRY(request.include_usage, options->boolean("include_usage", false));
    }
    return refuse_in_both(object);
}

// Ids of the model's vocabulary.
Result<std::vector<std::int32_t>> decode_tokens(const JsonObject& object,
                                                const dom::array& tokens) {
    std::vector<std::int32_t> ids;
    for (const dom::element element : tokens) {
        std::int64_t id = 0;
        if (ids.size() == kPromptTokensMax || element.get(id) != simdjson::SUCCESS || id < 0 ||
            id > std::numeric_limits<std::int32_t>::max()) {
            return field_error(object.path_of("prompt"), "A list of tokens holds token ids",
                               "value_error");
        }
        ids.push_back(static_cast<std::int32_t>(id));
    }
    return ids;
}

// A text, a list of token ids, or a list of either.
Result<std::vector<service::RawPrompt>> decode_prompts(const JsonObject& object) {
    const auto found = object.find("prompt");
    if (!found) return field_error("prompt", "Field required", "missing");
    std::vector<service::RawPrompt> prompts;
    if (found->is_string()) {
        HEDDLE_TRY(std::string text, object.required_text("prompt", {1, kContentBytesMax}));
        prompts.push_back({std::move(text), {}});
        return prompts;
    }
    dom::array list;
    if (found->get(list) != simdjson::SUCCESS || list.size() == 0) {
        return field_error("prompt", "Input should be a text, tokens, or a list of them",
                           "value_error");
    }
    if (list.at(0).value_unsafe().is_int64()) {
        HEDDLE_TRY(auto tokens, decode_tokens(object, list));
        prompts.push_back({"", std::move(tokens)});
        return prompts;
    }
    if (list.at(0).value_unsafe().is_string()) {
        HEDDLE_TRY(auto texts, object.texts("prompt", kPromptsMax, {1, kContentBytesMax}));
        for (std::string& text : texts) prompts.push_back({std::move(text), {}});
        return prompts;
    }
    for (const dom::element element : list) {
        dom::array tokens;
        if (prompts.size() == kPromptsMax || element.get(tokens) != simdjson::SUCCESS ||
            tokens.size() == 0) {
            return field_error("prompt", "Input should be at most 128 lists of tokens",
                               "value_error");
        }
        HEDDLE_TRY(auto ids, decode_tokens(object, tokens));
        prompts.push_back({"", std::move(ids)});
    }
    return prompts;
}

}  // namespace

const std::string_view kChatSchema = R"({
  "type": "object", "required": ["messages"],
  "properties": {
    "model": {"type": "string"},
    "messages": {"type": "array", "minItems": 1, "items": {"type": "object",
      "required": ["role"], "properties": {
        "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "null"}]},
        "tool_calls": {"type": "array"}, "tool_call_id": {"type": "string"}}}},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer"},
    "min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "typical_p": {"type": "number", "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": "number"},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "logit_bias": {"type": "object"},
    "max_tokens": {"type": "integer", "minimum": 1},
    "max_completion_tokens": {"type": "integer", "minimum": 1},
    "min_tokens": {"type": "integer", "minimum": 0},
    "ignore_eos": {"type": "boolean", "default": false},
    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4}]},
    "stop_token_ids": {"type": "array", "items": {"type": "integer"}},
    "seed": {"type": "integer"},
    "n": {"type": "integer", "minimum": 1, "default": 1},
    "logprobs": {"type": "boolean", "default": false},
    "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    "tools": {"type": "array", "items": {"type": "object"}},
    "tool_choice": {"anyOf": [{"enum": ["none", "auto", "required"]}, {"type": "object"}]},
    "parallel_tool_calls": {"type": "boolean", "default": true},
    "response_format": {"type": "object", "required": ["type"], "properties": {
      "type": {"enum": ["text", "json_object", "json_schema"]},
      "json_schema": {"type": "object"}}},
    "structured_outputs": {"type": "object",
      "description": "One of json (a schema), json_object, regex, choice, grammar"},
    "chat_template_kwargs": {"type": "object",
      "description": "Further variables of the chat template"},
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
    "prompt": {"description": "A text, a list of token ids, or a list of either",
      "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1}]},
    "echo": {"type": "boolean", "default": false},
    "logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer"},
    "min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "typical_p": {"type": "number", "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": "number"},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "logit_bias": {"type": "object"},
    "max_tokens": {"type": "integer", "minimum": 1},
    "min_tokens": {"type": "integer", "minimum": 0},
    "ignore_eos": {"type": "boolean", "default": false},
    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4}]},
    "stop_token_ids": {"type": "array", "items": {"type": "integer"}},
    "seed": {"type": "integer"},
    "n": {"type": "integer", "minimum": 1, "default": 1},
    "response_format": {"type": "object"},
    "structured_outputs": {"type": "object"},
    "stream": {"type": "boolean", "default": false},
    "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}}
  }})";

Result<std::vector<service::Message>> decode_messages(const JsonObject& object) {
    std::vector<service::Message> all;
    HEDDLE_TRY(const auto messages, object.objects("messages", 1, kMessagesMax));
    for (const JsonObject& given : messages) {
        service::Message message;
        HEDDLE_TRY(message.role, decode_role(given));
        HEDDLE_TRY(message.content, decode_content(given));
        HEDDLE_TRY(message.tool_calls, decode_tool_calls(given));
        HEDDLE_TRY(auto call_id, given.text("tool_call_id", {0, 256}));
        message.tool_call_id = std::move(call_id).value_or("");
        HEDDLE_TRY(auto name, given.text("name", {0, kNameBytesMax}));
        message.name = std::move(name).value_or("");
        all.push_back(std::move(message));
    }
    return all;
}

Result<std::string> decode_template_arguments(const JsonObject& object) {
    HEDDLE_TRY(const auto arguments, object.object("chat_template_kwargs"));
    if (!arguments) return std::string();
    return simdjson::minify(*object.find("chat_template_kwargs"));
}

Result<ChatRequest> decode_chat(const JsonBody& body, const Context& context,
                                const service::Identity& identity) {
    HEDDLE_TRY(const JsonObject object, body.object());
    ChatRequest request;
    request.answer.owner = identity.owner;
    request.answer.deadline = async::Deadline::after(context.options.answer_timeout);
    HEDDLE_TRY(request.answer.messages, decode_messages(object));
    HEDDLE_TRY_VOID(decode_common(object, request));
    HEDDLE_TRY_VOID(decode_chat_logprobs(object, request.answer.sampling));
    HEDDLE_TRY(request.answer.tool_use, decode_tool_use(object));
    HEDDLE_TRY(request.answer.template_arguments, decode_template_arguments(object));
    HEDDLE_TRY_VOID(refuse_in_chat(object));
    return request;
}

Result<ChatRequest> decode_completion(const JsonBody& body, const Context& context,
                                      const service::Identity& identity) {
    HEDDLE_TRY(const JsonObject object, body.object());
    ChatRequest request;
    service::AnswerRequest& answer = request.answer;
    answer.owner = identity.owner;
    answer.deadline = async::Deadline::after(context.options.answer_timeout);
    HEDDLE_TRY(answer.prompts, decode_prompts(object));
    HEDDLE_TRY_VOID(decode_common(object, request));
    HEDDLE_TRY_VOID(decode_text_logprobs(object, answer.sampling));
    HEDDLE_TRY(answer.echo, object.boolean("echo", false));
    HEDDLE_TRY_VOID(refuse_unsupported(object, {"suffix", "tools"}));
    if (answer.grounding.enabled) {
        if (answer.prompts.size() != 1 || answer.prompts.front().text.empty()) {
            return field_error("prompt", "A grounded completion has one text", "value_error");
        }
        answer.messages.push_back({service::Role::kUser, std::move(answer.prompts.front().text)});
        answer.prompts.clear();
    }
    return request;
}

}  // namespace heddle::api
