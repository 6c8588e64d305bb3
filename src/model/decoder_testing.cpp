#include "model/decoder_testing.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace heddle::model {

StepRunner::StepRunner(Decoder& decoder, std::int64_t blocks) : decoder_(decoder) {
    auto cache = decoder.backend().make_kv_cache(decoder.kv_shape(blocks, compute::DType::kF32));
    HEDDLE_CHECK(cache.has_value(), "the cache fits");
    cache_ = std::move(*cache);
    free_.resize(static_cast<std::size_t>(blocks));
    std::iota(free_.begin(), free_.end(), 0);
    std::ranges::reverse(free_);
}

std::vector<std::vector<float>> StepRunner::step(const std::vector<Chunk>& chunks) {
    std::vector<std::int32_t> tokens, positions, slots, starts = {0}, lengths, wanted;
    const std::int64_t block_tokens = decoder_.options().block_tokens;
    std::size_t width = 1;
    for (const Chunk& chunk : chunks) {
        Sequence& sequence = sequences_[chunk.sequence];
        for (const std::int32_t token : chunk.tokens) {
            const auto offset = static_cast<std::int32_t>(sequence.length % block_tokens);
            if (offset == 0) {
                sequence.blocks.push_back(free_.back());
                free_.pop_back();
            }
            tokens.push_back(token);
            positions.push_back(static_cast<std::int32_t>(sequence.length++));
            slots.push_back(sequence.blocks.back() * static_cast<std::int32_t>(block_tokens) +
                            offset);
        }
        starts.push_back(static_cast<std::int32_t>(tokens.size()));
        lengths.push_back(static_cast<std::int32_t>(sequence.length));
        wanted.push_back(static_cast<std::int32_t>(tokens.size()) - 1);
        width = std::max(width, sequence.blocks.size());
    }
    std::vector<std::int32_t> tables;
    for (const Chunk& chunk : chunks) {
        const auto& blocks = sequences_[chunk.sequence].blocks;
        tables.insert(tables.end(), blocks.begin(), blocks.end());
        tables.insert(tables.end(), width - blocks.size(), -1);
    }
    const auto logits = decoder_.forward({tokens, positions, slots, starts, lengths, tables,
                                          static_cast<std::int64_t>(width), wanted},
                                         *cache_);
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const float* row = logits.row<float>(static_cast<std::int64_t>(i));
        rows.emplace_back(row, row + logits.cols());
    }
    return rows;
}

std::int32_t best_token(const std::vector<float>& logits) {
    return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

}  // namespace heddle::model
