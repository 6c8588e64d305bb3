// The key-value memory of the device in fixed blocks of tokens, counted on the host. The pool
// knows numbers and references, never the bytes.
//
// A block is free, in use (references > 0) or kept: unreferenced, but its content may be asked
// for again. Kept blocks are taken back in the order in which they were released.
// Engine thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "engine/sequence.h"

namespace heddle::engine {

class BlockPool {
public:
    explicit BlockPool(std::size_t block_count);

    [[nodiscard]] std::size_t size() const { return blocks_.size(); }
    // Blocks that allocate() can give out now: free and kept ones.
    [[nodiscard]] std::size_t available() const { return free_.size() + kept_.size(); }
    [[nodiscard]] std::size_t in_use() const { return size() - available(); }
    [[nodiscard]] std::size_t kept() const { return kept_.size(); }
    [[nodiscard]] std::uint32_t references(BlockId block) const {
        return blocks_[block].references;
    }
    // Changes whenever the block is given out anew: (block, generation) names a content.
    [[nodiscard]] std::uint64_t generation(BlockId block) const {
        return blocks_[block].generation;
    }

    // A block with one reference and a new generation. There must be one available.
    [[nodiscard]] BlockId allocate();
    // One more reference; takes a kept block back into use.
    void retain(BlockId block);
    // One reference less; at none the block is kept if `keep`, else free.
    void release(BlockId block, bool keep);

private:
    struct Block {
        std::uint32_t references = 0;
        std::uint64_t generation = 0;
        bool is_kept = false;
        std::list<BlockId>::iterator place;  // in kept_, while kept
    };

    std::vector<Block> blocks_;
    std::vector<BlockId> free_;
    std::list<BlockId> kept_;  // least recently released first
};

}  // namespace heddle::engine
