// The local encoder as search's Embedder: one thread drives the model; requests of all callers are
// put together into steps, questions before passages, so that a search does not wait for an
// ingestion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "async/runtime.h"
#include "base/metrics.h"
#include "base/result.h"
#include "search/embedder.h"

namespace heddle::service {

struct LocalEmbedderOptions {
    std::string folder;  // sentence-transformers layout
    std::string name;    // what clients call it; the folder's name when empty
    int threads = 1;
    // Tokens computed before the queue is looked at again: what a question waits at most.
    std::int64_t tokens_per_step = 256;
    // Tokens waiting beyond this are refused with kUnavailable.
    std::size_t queued_tokens_max = 4'000'000;
    // Cosine under which a passage is not about the question; calibrated for MiniLM
    // (docs/adr/0005-threshold.md).
    float score_threshold = 0.30F;
};

// Thread-safe.
class LocalEmbedder final : public search::Embedder {
public:
    // Loads the model, which maps its file; kNotFound and kCorrupt name what is wrong. `workers`
    // (for tokenising) and `metrics` outlive the embedder.
    static Result<std::shared_ptr<LocalEmbedder>> load(LocalEmbedderOptions options,
                                                       async::WorkerPool& workers,
                                                       Metrics& metrics);
    // Requests under way end with kUnavailable.
    ~LocalEmbedder() override;

    [[nodiscard]] const search::EmbedderInfo& info() const override;
    [[nodiscard]] std::size_t count_tokens(std::string_view text) const override;
    async::Task<Result<std::vector<std::vector<float>>>> embed(
        std::vector<std::string> texts, search::EmbedPurpose purpose) override;

private:
    struct Impl;
    explicit LocalEmbedder(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::service
