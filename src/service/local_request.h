// From what a client asks to what the engine takes: prompts become tokens, forms of the answer
// become grammars. Pure but for the model's cache of grammars; runs on the worker pool.
#pragma once

#include <vector>

#include "engine/generation.h"
#include "service/generator.h"
#include "service/local_answer.h"
#include "service/local_model.h"

namespace heddle::service {

struct LocalRequest {
    std::vector<engine::GenerationRequest> prompts;  // at least one
    std::vector<std::string> echoes;                 // what each of their answers begins with
    LocalAnswerOptions answers;                      // of every answer, but for its number
};

// kInvalidArgument naming the field: a prompt that is longer than the context, a schema that
// cannot be held to, a conversation that the chat template refuses.
[[nodiscard]] Result<LocalRequest> translate(const GenerateRequest& request, LocalModel& model);

}  // namespace heddle::service
