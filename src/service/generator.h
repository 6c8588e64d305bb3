// What answers: one interface, three kinds. A local engine, an OpenAI-compatible upstream, and the
// extractive generator that quotes without any model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "async/deadline.h"
#include "async/stream.h"
#include "async/task.h"
#include "base/result.h"
#include "service/conversation.h"
#include "service/source.h"

namespace heddle::service {

// What was gathered for a grounded answer. A generator with a model finds it, fenced, in the
// messages (PromptBuilder); the extractive one reads it here.
struct Grounding {
    std::string question;
    std::vector<GroundedText> texts;
};

struct GenerateRequest {
    std::string owner;
    std::string model;
    std::vector<Message> messages;
    // Not empty: these are continued and there are no messages. Their answers are numbered one
    // prompt after the other, `sampling.answers` for each.
    std::vector<RawPrompt> prompts;
    bool echo = false;  // each answer begins with its prompt
    SamplingOptions sampling;
    ToolUse tool_use;
    Constraint constraint;
    std::string template_arguments;  // JSON object: further variables of the chat template
    std::optional<Grounding> grounding;
    async::Deadline deadline = async::Deadline::never();
};

enum class FinishReason { kStop, kLength, kContentFilter, kToolCalls };
[[nodiscard]] std::string_view to_string(FinishReason reason);

struct Usage {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
    std::uint64_t cached_tokens = 0;  // of the prompt's, those that were still computed
};

struct Completion {
    FinishReason finish_reason = FinishReason::kStop;
    Usage usage;
};

struct ToolCallDelta {
    std::uint32_t index = 0;  // of the call within its answer
    std::string id;           // with the first delta of a call, as the name
    std::string name;
    std::string arguments;  // JSON text, to be appended
};

struct TokenProbability {
    std::string bytes;  // not necessarily UTF-8
    float logprob = 0;
};
struct TokenDetail {
    TokenProbability token;
    std::vector<TokenProbability> top;  // likeliest first
};

// What one answer grows by.
struct TextPiece {
    std::string text;          // UTF-8, never split inside a character
    std::uint32_t choice = 0;  // which of several answers
    std::vector<ToolCallDelta> tool_calls;
    std::vector<TokenDetail> tokens;  // when logprobs were asked for
    // With the last piece of a choice. May be absent where there is one answer: then it is the
    // Completion's.
    std::optional<FinishReason> finish;
};
using TextStream = async::Stream<TextPiece>;

struct ModelInfo {
    std::string id;
    std::string owned_by;  // "heddle", or the host of the upstream
    std::uint64_t created_s = 0;
    // Window of the model in tokens; 0 when unknown (an upstream that does not say).
    std::uint32_t context_tokens = 0;
};

// Thread-safe: generate() may run on any I/O thread, several at once.
class Generator {
public:
    virtual ~Generator() = default;

    // Models served now; an upstream answers from its last refresh.
    [[nodiscard]] virtual std::vector<ModelInfo> models() const = 0;

    // Whether it reports vLLM's metrics itself; others are measured by who calls them.
    [[nodiscard]] virtual bool measures_itself() const { return false; }

    // Writes text into `out` until the end and returns how it ended; never closes `out`. Fails
    // before the first piece with a status of its own, after it with kUpstream or kInternal.
    // Cancelling the task stops the work within one step.
    virtual async::Task<Result<Completion>> generate(GenerateRequest request,
                                                     std::shared_ptr<TextStream> out) = 0;

    // Tokens of the text as this generator counts them, exact or estimated from above.
    [[nodiscard]] virtual std::uint32_t count_tokens(const std::string& model,
                                                     std::string_view text) const = 0;
};

}  // namespace heddle::service
