// What search needs of an embedding model. Implemented in service over the local encoder and over
// upstream servers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"

namespace heddle::search {

struct EmbedderInfo {
    // Names the model and the precision it computes in ("all-MiniLM-L6-v2/f32"): vectors of
    // different ids are never compared.
    std::string id;
    std::size_t dimensions = 0;
    // Longest input in tokens, special tokens included.
    std::size_t tokens_max = 0;
    // Special tokens that the model adds to every input.
    std::size_t tokens_added = 0;
    // Cosine below which a passage is not about the question, calibrated for this model.
    float score_threshold = 0.0F;
};

enum class EmbedPurpose { kQuery, kPassage };

// Thread-safe.
class Embedder {
public:
    virtual ~Embedder() = default;
    [[nodiscard]] virtual const EmbedderInfo& info() const = 0;

    // Tokens of the text without the special ones. Computes on the calling thread.
    [[nodiscard]] virtual std::size_t count_tokens(std::string_view text) const = 0;

    // One unit-length vector of info().dimensions for each text, in order. A text longer than
    // the limit is an error (kInvalidArgument), never cut.
    virtual async::Task<Result<std::vector<std::vector<float>>>> embed(
        std::vector<std::string> texts, EmbedPurpose purpose) = 0;
};

}  // namespace heddle::search
