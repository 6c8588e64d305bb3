#include "service/generators.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/deadline.h"

namespace heddle::service {

std::string_view to_string(FinishReason reason) {
    switch (reason) {
        case FinishReason::kStop:
            return "stop";
        case FinishReason::kLength:
            return "length";
        case FinishReason::kContentFilter:
            return "content_filter";
        case FinishReason::kToolCalls:
            return "tool_calls";
    }
    return "stop";
}

std::string_view to_string(Role role) {
    switch (role) {
        case Role::kSystem:
            return "system";
        case Role::kUser:
            return "user";
        case Role::kAssistant:
            return "assistant";
        case Role::kTool:
            return "tool";
    }
    return "user";
}

Result<Generators::Choice> Generators::choose(const std::string& model) const {
    for (const std::shared_ptr<Generator>& generator : generators_) {
        for (const ModelInfo& info : generator->models())
            if (model.empty() || info.id == model) return Choice{generator, info};
    }
    const std::string shown = model.substr(0, 100);
    return fail(Error(model.empty() ? ErrorCode::kUnavailable : ErrorCode::kNotFound,
                      model.empty() ? std::string("no model is ready to answer")
                                    : fmt::format("no model \"{}\" is served here", shown))
                    .with_reason(model.empty() ? "no_model" : "model_not_found")
                    .with_param("model"));
}

std::vector<ModelInfo> Generators::models() const {
    std::vector<ModelInfo> all;
    for (const std::shared_ptr<Generator>& generator : generators_) {
        for (ModelInfo& info : generator->models()) {
            const bool known = std::any_of(all.begin(), all.end(),
                                           [&](const ModelInfo& m) { return m.id == info.id; });
            if (!known) all.push_back(std::move(info));
        }
    }
    return all;
}

async::Task<Result<Completion>> write_pieces(Generators::Choice choice, GenerateRequest request,
                                             std::shared_ptr<TextStream> out) {
    const async::Deadline deadline = request.deadline;
    auto completion = co_await async::with_deadline(
        deadline, choice.generator->generate(std::move(request), out));
    out->close();
    co_return completion;
}

}  // namespace heddle::service
