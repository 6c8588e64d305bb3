#include "api/conversation_question.h"

#include <utility>

#include "api/generate_text_request.h"
#include "api/sampling_request.h"

namespace heddle::api {
namespace {

constexpr std::size_t kContentBytesMax = std::size_t{1} << 20;
constexpr std::size_t kSystemBytesMax = std::size_t{64} << 10;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kIdBytesMax = 64;

}  // namespace

const std::string_view kConversationQuestionSchema = R"({
  "type": "object",
  "properties": {
    "content": {"type": "string", "minLength": 1, "description": "The question"},
    "again": {"type": "string",
      "description": "In place of content: a message to be answered once more"},
    "parent": {"type": "string",
      "description": "The message it follows: the last shown if absent, none if empty"},
    "model": {"type": "string", "description": "A name from /v1/models; the default if absent"},
    "system": {"type": "string", "description": "Goes before the conversation"},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 0.7},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer"},
    "min_p": {"type": "number"},
    "max_tokens": {"type": "integer", "minimum": 1},
    "seed": {"type": "integer"},
    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4}]},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "ground": {"type": "boolean", "default": true,
      "description": "Over the owner's documents and the pages named in the question"},
    "collection": {"type": "string", "default": "knowledgebase"},
    "documents": {"type": "array", "items": {"type": "string"}},
    "limit": {"type": "integer", "minimum": 0, "maximum": 50},
    "score_threshold": {"type": "number", "minimum": -1, "maximum": 1},
    "stream": {"type": "boolean", "default": true,
      "description": "Events: message, sources, delta, usage, done or error, saved"}
  }})";

Result<ConversationQuestionRequest> decode_conversation_question(
    const JsonBody& body, const Context& context, const service::Identity& identity) {
    HEDDLE_TRY(const JsonObject object, body.object());
    ConversationQuestionRequest request;
    service::ConversationQuestion& question = request.question;
    question.owner = identity.owner;
    question.answer.deadline = async::Deadline::after(context.options.answer_timeout);
    HEDDLE_TRY(auto again, object.text("again", {1, kIdBytesMax}));
    question.again = std::move(again).value_or("");
    if (question.again.empty()) {
        HEDDLE_TRY(question.content, object.required_text("content", {1, kContentBytesMax}));
    }
    HEDDLE_TRY(question.parent, object.text("parent", {0, kIdBytesMax}));
    HEDDLE_TRY(auto system, object.text("system", {0, kSystemBytesMax}));
    question.system = std::move(system).value_or("");
    HEDDLE_TRY(auto model, object.text("model", {0, kNameBytesMax}));
    question.answer.model = std::move(model).value_or("");
    HEDDLE_TRY(question.answer.sampling, decode_sampling(object));
    HEDDLE_TRY(question.answer.grounding.enabled, object.boolean("ground", true));
    HEDDLE_TRY_VOID(decode_grounding(object, question.answer.grounding));
    HEDDLE_TRY(request.stream, object.boolean("stream", true));
    return request;
}

}  // namespace heddle::api
