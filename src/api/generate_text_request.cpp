#include "api/generate_text_request.h"

#include <algorithm>
#include <utility>

namespace heddle::api {
namespace {

constexpr std::size_t kPromptBytesMax = std::size_t{1} << 20;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kDocumentsMax = 100;
constexpr std::int64_t kPassagesMax = 50;
constexpr std::int64_t kTokensMax = 1'000'000;

}  // namespace

const std::string_view kGenerateTextSchema = R"({
  "type": "object", "required": ["prompt"],
  "properties": {
    "prompt": {"type": "string", "minLength": 1,
      "description": "The question. Pages whose http(s) addresses stand in it are read."},
    "model": {"type": "string", "description": "A name from /v1/models; the default if absent"},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 0.7},
    "max_tokens": {"type": "integer", "minimum": 1},
    "stream": {"type": "boolean", "default": false,
      "description": "Server-sent events: sources, delta, usage, done or error"},
    "collection": {"type": "string", "default": "knowledgebase"},
    "documents": {"type": "array", "items": {"type": "string"},
      "description": "Only passages of these documents"},
    "limit": {"type": "integer", "minimum": 0, "maximum": 50,
      "description": "Passages at most"},
    "score_threshold": {"type": "number", "minimum": -1, "maximum": 1,
      "description": "Least cosine of a passage; the default suits the embedder in use"}
  }})";

bool is_collection_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

Result<> decode_grounding(const JsonObject& object, service::GroundingOptions& grounding) {
    HEDDLE_TRY(auto collection, object.text("collection"));
    if (collection && !is_collection_name(*collection)) {
        return field_error(object.path_of("collection"),
                           "A collection's name has 1 to 64 of the characters A-Z a-z 0-9 _ -",
                           "string_pattern_mismatch");
    }
    if (collection) grounding.collection = std::move(*collection);
    HEDDLE_TRY(grounding.documents, object.texts("documents", kDocumentsMax, {1, 64}));
    HEDDLE_TRY(const auto limit, object.integer("limit", 0, kPassagesMax));
    if (limit) grounding.limit = static_cast<std::size_t>(*limit);
    HEDDLE_TRY(grounding.score_threshold, object.number("score_threshold", -1, 1));
    return {};
}

Result<GenerateTextRequest> decode_generate_text(const JsonBody& body, const Context& context,
                                                 const service::Identity& identity) {
    HEDDLE_TRY(const JsonObject object, body.object());
    GenerateTextRequest request;
    service::AnswerRequest& answer = request.answer;
    answer.owner = identity.owner;
    answer.deadline = async::Deadline::after(context.options.answer_timeout);
    HEDDLE_TRY(std::string prompt, object.required_text("prompt", {1, kPromptBytesMax}));
    answer.messages.push_back({service::Role::kUser, std::move(prompt)});
    HEDDLE_TRY(auto model, object.text("model", {0, kNameBytesMax}));
    answer.model = std::move(model).value_or("");
    HEDDLE_TRY(const auto temperature, object.number("temperature", 0, 2));
    if (temperature) answer.sampling.temperature = *temperature;
    HEDDLE_TRY(const auto tokens_max, object.integer("max_tokens", 1, kTokensMax));
    if (tokens_max) answer.sampling.tokens_max = static_cast<std::uint32_t>(*tokens_max);
    HEDDLE_TRY(request.stream, object.boolean("stream", false));
    HEDDLE_TRY_VOID(decode_grounding(object, answer.grounding));
    return request;
}

}  // namespace heddle::api
