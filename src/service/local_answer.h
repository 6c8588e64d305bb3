// One answer of the engine on its way to the client: events of tokens and text become pieces with
// tool calls, probabilities and a reason for the end. One reader at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/generation.h"
#include "engine/tool_calls.h"
#include "service/generator.h"
#include "service/local_model.h"

namespace heddle::service {

struct LocalAnswerOptions {
    std::uint32_t choice = 0;
    // The text goes on with another text: a space at its beginning belongs to it.
    bool continues_text = false;
    bool logprobs = false;
    std::optional<engine::ToolCallStyle> tool_style;  // absent: text is text
    bool parallel_calls = true;
};

class LocalAnswer {
public:
    // `model` outlives it.
    LocalAnswer(const LocalModel& model, const LocalAnswerOptions& options);

    // What the event adds; nothing when that is invisible. A failed or late answer is an error.
    [[nodiscard]] Result<std::optional<TextPiece>> push(engine::GenerationEvent event);
    [[nodiscard]] bool ended() const { return ended_; }

private:
    void drop_leading_space(engine::GenerationEvent& event);
    void find_calls(engine::GenerationEvent& event, TextPiece& piece);
    void add_calls(engine::ToolCallPiece found, TextPiece& piece);
    void add_tokens(const engine::GenerationEvent& event, TextPiece& piece) const;
    [[nodiscard]] TokenProbability probability_of(engine::TokenId token, float logprob) const;

    const LocalModel& model_;
    const LocalAnswerOptions options_;
    std::optional<engine::ToolCallParser> parser_;
    bool at_beginning_;
    bool ended_ = false;
};

}  // namespace heddle::service
