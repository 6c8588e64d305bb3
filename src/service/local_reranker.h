// A cross-encoder of this process as search's Reranker and behind /v1/rerank. Pairs are scored in
// steps on the worker pool; requests take turns step by step, so that a long list does not keep a
// short one waiting, and a caller who leaves ends his part within a step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/semaphore.h"
#include "base/metrics.h"
#include "base/result.h"
#include "compute/backend.h"
#include "model/cross_encoder.h"
#include "search/reranker.h"
#include "text/tokenizer.h"

namespace heddle::service {

struct LocalRerankerOptions {
    std::string folder;  // a Hugging Face folder of a sequence classifier with one output
    std::string name;    // what clients call it; the folder's name when empty
    int threads = 1;
    // Tokens computed before another request has its turn.
    std::int64_t tokens_per_step = 512;
    // Requests that may wait; more are refused with kUnavailable.
    std::size_t waiting_max = 64;
};

struct PairScores {
    std::vector<float> scores;  // raw; higher is better
    std::uint64_t tokens = 0;   // read
};

// Thread-safe.
class LocalReranker final : public search::Reranker {
public:
    // Errors name the file and what is wrong in it; kInvalidArgument for a model that does not
    // give one score. `workers` and `metrics` outlive it.
    static Result<std::shared_ptr<LocalReranker>> load(LocalRerankerOptions options,
                                                       async::WorkerPool& workers,
                                                       Metrics& metrics);

    [[nodiscard]] const std::string& name() const { return options_.name; }

    // The beginning of a question that fills more than half of what the model reads, and of a
    // passage that does not fit beside it.
    async::Task<Result<PairScores>> score_pairs(std::string question,
                                                std::vector<std::string> passages);
    async::Task<Result<std::vector<float>>> score(std::string question,
                                                  std::vector<std::string> passages) override;

private:
    struct Pair {
        std::vector<std::int32_t> tokens;
        std::size_t second_segment = 0;
    };

    LocalReranker(LocalRerankerOptions options, async::WorkerPool& workers, Metrics& metrics);
    [[nodiscard]] Pair pair_of(const std::string& question, std::string_view passage) const;
    [[nodiscard]] std::string_view beginning(std::string_view text, std::size_t tokens) const;

    const LocalRerankerOptions options_;
    async::WorkerPool& workers_;
    Histogram& step_seconds_;
    Counter& tokens_read_;
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::unique_ptr<compute::Backend> backend_;
    std::unique_ptr<model::CrossEncoder> encoder_;  // whoever holds the turn
    std::shared_ptr<async::Semaphore> turn_ = async::Semaphore::create(1);
};

}  // namespace heddle::service
