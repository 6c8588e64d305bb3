#include "service/embeddings.h"

#include <fmt/format.h>

#include "async/offload.h"

namespace heddle::service {

std::vector<std::string> Embeddings::models() const {
    if (!embedder_) return {};
    const std::string& id = embedder_->info().id;
    return {id.substr(0, id.find('/'))};
}

Result<std::uint64_t> Embeddings::measure(const std::vector<std::string>& inputs) const {
    const auto wrong = [](std::string message) {
        return fail(Error(ErrorCode::kInvalidArgument, std::move(message)).with_param("input"));
    };
    if (inputs.empty() || inputs.size() > limits_.inputs_max)
        return wrong(fmt::format("must hold 1 to {} inputs", limits_.inputs_max));
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].empty()) return wrong(fmt::format("input {} is empty", i));
        if (inputs[i].size() > limits_.input_bytes_max) {
            return wrong(
                fmt::format("input {} is longer than {} bytes", i, limits_.input_bytes_max));
        }
        const std::size_t tokens =
            embedder_->count_tokens(inputs[i]) + embedder_->info().tokens_added;
        if (tokens > embedder_->info().tokens_max) {
            return wrong(fmt::format("input {} has {} tokens; the model reads {}", i, tokens,
                                     embedder_->info().tokens_max));
        }
        all += tokens;
    }
    return all;
}

async::Task<Result<EmbeddingBatch>> Embeddings::embed(std::string model,
                                                      std::vector<std::string> inputs) {
    if (!embedder_) {
        co_return fail(Error(ErrorCode::kUnavailable, "no embedding model is installed")
                           .with_reason("no_embedder"));
    }
    if (!model.empty() && model != models().front()) {
        co_return fail(
            Error(ErrorCode::kNotFound,
                  fmt::format("no embedding model \"{}\" is served here", model.substr(0, 100)))
                .with_reason("model_not_found")
                .with_param("model"));
    }
    EmbeddingBatch batch;
    const auto count = [&] { return measure(inputs); };
    HEDDLE_CO_TRY(batch.tokens, co_await async::offload(workers_, count));
    HEDDLE_CO_TRY(batch.vectors,
                  co_await embedder_->embed(std::move(inputs), search::EmbedPurpose::kPassage));
    co_return batch;
}

}  // namespace heddle::service
