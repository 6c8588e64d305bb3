// The language models of this process by name, and what can be asked of their tokenizers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "service/conversation.h"
#include "service/local_model.h"

namespace heddle::service {

struct TokeniseRequest {
    std::string model;  // empty: the first
    std::string text;
    std::vector<Message> messages;  // in place of the text, as the model's chat template has them
    ToolUse tool_use;
    std::string template_arguments;
    bool add_special = true;
};

struct Tokenised {
    std::vector<std::int32_t> tokens;
    std::vector<std::string> pieces;  // as the vocabulary writes them
    std::uint32_t context_tokens = 0;
};

// Fixed after start; thread-safe.
class LocalModels {
public:
    // `workers` outlives it. The first model is the default.
    LocalModels(std::vector<std::shared_ptr<LocalModel>> models, async::WorkerPool& workers)
        : models_(std::move(models)), workers_(workers) {}

    [[nodiscard]] const std::vector<std::shared_ptr<LocalModel>>& all() const { return models_; }
    // kNotFound (model_not_found) for a name that no model of this process has.
    [[nodiscard]] Result<std::shared_ptr<LocalModel>> find(const std::string& name) const;
    // Whether every engine moves.
    [[nodiscard]] bool healthy() const;

    async::Task<Result<Tokenised>> tokenise(TokeniseRequest request);
    // kInvalidArgument naming `tokens` for an id outside the vocabulary.
    async::Task<Result<std::string>> detokenise(std::string model,
                                                std::vector<std::int32_t> tokens);

private:
    const std::vector<std::shared_ptr<LocalModel>> models_;
    async::WorkerPool& workers_;
};

}  // namespace heddle::service
