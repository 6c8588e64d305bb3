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
#include "service/source.h"

namespace heddle::service {

enum class Role { kSystem, kUser, kAssistant, kTool };

struct Message {
    Role role = Role::kUser;
    std::string content;
};

// Ranges are checked by the request decoder; nothing here is trusted to be small.
struct SamplingOptions {
    double temperature = 0.7;
    double top_p = 1.0;
    std::optional<std::uint32_t> tokens_max;
    std::optional<std::uint64_t> seed;
    std::vector<std::string> stop;
    double presence_penalty = 0.0;
    double frequency_penalty = 0.0;
};

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
    SamplingOptions sampling;
    std::optional<Grounding> grounding;
    async::Deadline deadline = async::Deadline::never();
};

enum class FinishReason { kStop, kLength, kContentFilter, kToolCalls };
[[nodiscard]] std::string_view to_string(FinishReason reason);

struct Usage {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

struct Completion {
    FinishReason finish_reason = FinishReason::kStop;
    Usage usage;
};

// Text as it comes, UTF-8, never split inside a character.
using TextStream = async::Stream<std::string>;

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
