// Texts that are longer than the model's window, for questions about the whole of them: the model
// summarises one window after another (map), the summaries of windows again where they are still
// too long (reduce), and answers over what is left. Other questions go by passage selection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "service/generators.h"
#include "service/source.h"

namespace heddle::service {

struct LongTextOptions {
    std::uint32_t summary_tokens = 256;  // written for each window
    std::size_t windows_max = 32;        // of one text in one round; the model's time is bounded
    std::size_t at_once = 4;             // windows that the model reads at the same time
    int rounds_max = 3;
};

// "Summarise the report", "what is this document about": whether a few passages cannot answer.
[[nodiscard]] bool asks_for_the_whole(std::string_view question);

// Windows of at most `tokens_max` tokens that cover the text: each ends at a paragraph, a sentence
// or at least a word, and begins a little before the end of the one before. Pure.
[[nodiscard]] std::vector<std::string_view> windows_of(
    std::string_view text, std::uint32_t tokens_max,
    const std::function<std::uint32_t(std::string_view)>& count_tokens);

// What is asked of which model, and for whom.
struct Summariser {
    Generators::Choice choice;
    std::string owner;
    std::string question;
    std::uint32_t context_tokens = 8192;
    async::Deadline deadline = async::Deadline::never();
    LongTextOptions options;
};

// The text in at most `tokens_max` tokens, or as near to it as the rounds allow. Errors are the
// generator's.
async::Task<Result<std::string>> summarise(Summariser summariser, std::string text,
                                           std::uint32_t tokens_max, async::WorkerPool& workers);

}  // namespace heddle::service
