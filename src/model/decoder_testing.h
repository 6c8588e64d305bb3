// Drives a decoder as the engine would, for tests: sequences in blocks of their own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "compute/backend.h"
#include "model/decoder.h"

namespace heddle::model {

// Gives each sequence blocks, scattered over the cache, and lays out steps.
class StepRunner {
public:
    explicit StepRunner(Decoder& decoder, std::int64_t blocks = 256);

    struct Chunk {
        std::size_t sequence = 0;  // 0 to 7
        std::vector<std::int32_t> tokens;
    };

    // Runs the chunks as one step; the logits of each chunk's last token.
    std::vector<std::vector<float>> step(const std::vector<Chunk>& chunks);

private:
    struct Sequence {
        std::int64_t length = 0;
        std::vector<std::int32_t> blocks;
    };

    Decoder& decoder_;
    std::unique_ptr<compute::KvCache> cache_;
    std::vector<std::int32_t> free_;
    std::array<Sequence, 8> sequences_;
};

[[nodiscard]] std::int32_t best_token(const std::vector<float>& logits);

}  // namespace heddle::model
