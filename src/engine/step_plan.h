// One step of the engine, as the executor sees it: which tokens of which sequences run through
// the model together. Immutable once handed out; flat arrays, so that a device takes it in a few
// copies.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sequence.h"

namespace heddle::engine {

struct StepItem {
    SequenceId sequence = 0;
    // The `count` tokens at positions [position, position + count) of the sequence. Their ids
    // are StepPlan::tokens[tokens_begin ...]; the last of them is unknown to the host when
    // `input_pending`: it is the token that the step before samples for this sequence.
    std::uint32_t position = 0;
    std::uint32_t count = 0;
    std::uint32_t tokens_begin = 0;
    std::uint32_t blocks_begin = 0;  // the whole block table, StepPlan::blocks[blocks_begin ...]
    std::uint32_t blocks_count = 0;
    // Offset in [0, count) of the token whose logits are sampled; count when none is.
    std::uint32_t sample_at = 0;
    bool input_pending = false;
    bool padding = false;  // static batches only: computed like the others, thrown away

    [[nodiscard]] bool samples() const { return sample_at < count; }
};

struct StepPlan {
    std::uint64_t step = 0;
    std::vector<StepItem> items;  // decoding sequences first
    std::vector<TokenId> tokens;
    std::vector<BlockId> blocks;
    // Sequences that appear in no plan from this one on; the executor drops what it keeps for
    // them.
    std::vector<SequenceId> retired;

    [[nodiscard]] bool empty() const { return items.empty(); }
    [[nodiscard]] std::span<const TokenId> tokens_of(const StepItem& item) const {
        return std::span(tokens).subspan(item.tokens_begin, item.count);
    }
    [[nodiscard]] std::span<const BlockId> blocks_of(const StepItem& item) const {
        return std::span(blocks).subspan(item.blocks_begin, item.blocks_count);
    }
};

}  // namespace heddle::engine
