// Answers on the wire: sources, usage, finish reasons.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "async/task.h"
#include "base/result.h"
#include "service/answerer.h"

namespace heddle::api {

[[nodiscard]] nlohmann::json to_json(const service::Source& source);
[[nodiscard]] nlohmann::json to_json(const std::vector<service::Source>& sources);
// {"prompt_tokens","completion_tokens","total_tokens","prompt_tokens_details"}
[[nodiscard]] nlohmann::json to_json(const service::Usage& usage);

// A whole answer, for responses that are not streamed.
struct CollectedChoice {
    std::string text;
    std::vector<service::ToolCall> tool_calls;
    std::vector<service::TokenDetail> tokens;
    std::optional<service::FinishReason> finish;
};
struct CollectedAnswer {
    std::vector<service::Source> sources;
    std::vector<CollectedChoice> choices = std::vector<CollectedChoice>(1);
    service::Usage usage;
    std::string model;
    service::FinishReason finish_reason = service::FinishReason::kStop;

    [[nodiscard]] const std::string& text() const { return choices.front().text; }
};

async::Task<Result<CollectedAnswer>> collect_answer(std::shared_ptr<service::Answerer> answerer,
                                                    service::AnswerRequest request);

}  // namespace heddle::api
