// Question and gathered texts → messages that fit the model's window. Every source is numbered and
// fenced as data; what does not fit is left out, the least relevant first, and that is reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "service/generator.h"
#include "service/source.h"

namespace heddle::service {

struct PromptOptions {
    std::string system_prompt = "You are an AI assistant";
    // Window assumed for a model that does not tell its own.
    std::uint32_t context_tokens_default = 8192;
    // Kept free for the answer when the request names no tokens_max.
    std::uint32_t answer_tokens = 1024;
    // A source that gets fewer tokens than this is left out.
    std::uint32_t source_tokens_min = 48;
};

struct BuiltPrompt {
    std::vector<Message> messages;
    // Numbers of sources that were shortened or left out, and history messages dropped.
    std::vector<int> shortened;
    std::vector<int> left_out;
    std::size_t messages_dropped = 0;
};

// Counts the tokens of a text from above.
using TokenCounter = std::function<std::uint32_t(std::string_view)>;

// `conversation` ends with the user's question. `texts` come in order of relevance and carry the
// numbers they are cited by. kInvalidArgument (context_length_exceeded) when the question alone
// does not fit. Pure; any thread.
[[nodiscard]] Result<BuiltPrompt> build_prompt(const std::vector<Message>& conversation,
                                               const std::vector<GroundedText>& texts,
                                               const PromptOptions& options,
                                               std::uint32_t context_tokens,
                                               std::uint32_t answer_tokens,
                                               const TokenCounter& count_tokens);

}  // namespace heddle::service
