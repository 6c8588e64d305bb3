// Embeddings for clients (/v1/embeddings): the local encoder under its own names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "search/embedder.h"

namespace heddle::service {

struct EmbeddingBatch {
    std::vector<std::vector<float>> vectors;
    std::uint64_t tokens = 0;
};

struct EmbeddingLimits {
    std::size_t inputs_max = 2048;
    std::size_t input_bytes_max = 1 << 20;
};

// Thread-safe. Holds the default embedder; null when none is installed.
class Embeddings {
public:
    Embeddings(std::shared_ptr<search::Embedder> embedder, async::WorkerPool& workers,
               EmbeddingLimits limits)
        : embedder_(std::move(embedder)), workers_(workers), limits_(limits) {}

    // Names that a client may write in `model`: the embedder's own, without the precision.
    [[nodiscard]] std::vector<std::string> models() const;

    // kNotFound (model_not_found) for another model, kInvalidArgument naming the input that is
    // empty or longer than the model's limit, kUnavailable without an embedder.
    async::Task<Result<EmbeddingBatch>> embed(std::string model, std::vector<std::string> inputs);

private:
    // Tokens of all inputs, or the error that names the one at fault.
    [[nodiscard]] Result<std::uint64_t> measure(const std::vector<std::string>& inputs) const;

    std::shared_ptr<search::Embedder> embedder_;
    async::WorkerPool& workers_;
    EmbeddingLimits limits_;
};

}  // namespace heddle::service
