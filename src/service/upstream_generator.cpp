#include "service/upstream_generator.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace heddle::service {
namespace {

std::string_view role_name(Role role) {
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

FinishReason reason_of(std::string_view name) {
    if (name == "length") return FinishReason::kLength;
    if (name == "content_filter") return FinishReason::kContentFilter;
    if (name == "tool_calls") return FinishReason::kToolCalls;
    return FinishReason::kStop;
}

std::uint32_t estimate_tokens(std::string_view text) {
    std::uint64_t plain = 0;
    std::uint64_t other = 0;
    for (const char c : text) ++(static_cast<unsigned char>(c) < 0x80 ? plain : other);
    // A character of three bytes is rarely more than two tokens.
    const std::uint64_t tokens = plain / 3 + other * 2 / 3 + 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, UINT32_MAX));
}

}  // namespace

UpstreamGenerator::UpstreamGenerator(std::shared_ptr<upstream::OpenAiClient> client,
                                     std::string preferred)
    : client_(std::move(client)), preferred_(std::move(preferred)) {
    if (!preferred_.empty()) models_.push_back({.id = preferred_, .owned_by = client_->host()});
}

async::Task<Result<>> UpstreamGenerator::refresh() {
    auto found = co_await client_->models(async::Deadline::after(std::chrono::seconds(10)));
    if (!found) {
        log::warn("upstream", "models could not be listed",
                  {{"host", client_->host()}, {"error", found.error().message()}});
        co_return fail(std::move(found).error());
    }
    std::vector<ModelInfo> models;
    for (upstream::UpstreamModel& model : *found) {
        models.push_back({.id = std::move(model.id),
                          .owned_by = client_->host(),
                          .created_s = model.created_s,
                          .context_tokens = model.context_tokens});
    }
    std::stable_partition(models.begin(), models.end(),
                          [&](const ModelInfo& model) { return model.id == preferred_; });
    const std::lock_guard lock(mutex_);
    models_ = std::move(models);
    co_return Result<>();
}

std::vector<ModelInfo> UpstreamGenerator::models() const {
    const std::lock_guard lock(mutex_);
    return models_;
}

std::uint32_t UpstreamGenerator::count_tokens(const std::string&, std::string_view text) const {
    return estimate_tokens(text);
}

async::Task<Result<Completion>> UpstreamGenerator::generate(GenerateRequest request,
                                                            std::shared_ptr<TextStream> out) {
    upstream::ChatCall call;
    call.model = request.model;
    for (Message& message : request.messages)
        call.messages.push_back({std::string(role_name(message.role)), std::move(message.content)});
    call.temperature = request.sampling.temperature;
    call.top_p = request.sampling.top_p;
    call.tokens_max = request.sampling.tokens_max;
    call.seed = request.sampling.seed;
    call.stop = request.sampling.stop;
    call.presence_penalty = request.sampling.presence_penalty;
    call.frequency_penalty = request.sampling.frequency_penalty;
    HEDDLE_CO_TRY(const upstream::ChatResult result,
                  co_await client_->chat(std::move(call), std::move(out), request.deadline));
    co_return Completion{reason_of(result.finish_reason),
                         {result.usage.prompt_tokens, result.usage.completion_tokens}};
}

}  // namespace heddle::service
