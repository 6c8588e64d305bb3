// A model of this process as a generator: requests become tokens on the worker pool, the engine's
// events become pieces on the caller's I/O thread, and a caller who leaves cancels his answers in
// the queue, in the prompt and while they are written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "service/generator.h"
#include "service/local_model.h"

namespace heddle::service {

// Thread-safe.
class LocalGenerator final : public Generator {
public:
    // `workers` outlives it.
    LocalGenerator(std::shared_ptr<LocalModel> model, async::WorkerPool& workers);

    [[nodiscard]] std::vector<ModelInfo> models() const override { return {info_}; }
    [[nodiscard]] bool measures_itself() const override { return true; }
    async::Task<Result<Completion>> generate(GenerateRequest request,
                                             std::shared_ptr<TextStream> out) override;
    // Exact.
    [[nodiscard]] std::uint32_t count_tokens(const std::string& model,
                                             std::string_view text) const override;

private:
    const std::shared_ptr<LocalModel> model_;
    async::WorkerPool& workers_;
    const ModelInfo info_;
};

}  // namespace heddle::service
