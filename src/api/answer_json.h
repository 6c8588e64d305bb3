// Answers on the wire: sources, usage, finish reasons.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "async/task.h"
#include "base/result.h"
#include "service/answerer.h"

namespace heddle::api {

[[nodiscard]] nlohmann::json to_json(const service::Source& source);
[[nodiscard]] nlohmann::json to_json(const std::vector<service::Source>& sources);
// {"prompt_tokens","completion_tokens","total_tokens"}
[[nodiscard]] nlohmann::json to_json(const service::Usage& usage);

// A whole answer, for responses that are not streamed.
struct CollectedAnswer {
    std::vector<service::Source> sources;
    std::string text;
    service::Usage usage;
    std::string model;
    service::FinishReason finish_reason = service::FinishReason::kStop;
};

async::Task<Result<CollectedAnswer>> collect_answer(std::shared_ptr<service::Answerer> answerer,
                                                    service::AnswerRequest request);

}  // namespace heddle::api
