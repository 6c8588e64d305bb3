#include "engine/block_pool.h"

#include "base/check.h"

namespace heddle::engine {

BlockPool::BlockPool(std::size_t block_count) : blocks_(block_count) {
    free_.reserve(block_count);
    // Low numbers are given out first, which keeps a lightly used pool dense.
    for (std::size_t i = block_count; i > 0; --i) free_.push_back(static_cast<BlockId>(i - 1));
}

BlockId BlockPool::allocate() {
    HEDDLE_CHECK(available() > 0, "the pool has a block to give");
    BlockId id = 0;
    if (!free_.empty()) {
        id = free_.back();
        free_.pop_back();
    } else {
        id = kept_.front();
        kept_.pop_front();
        blocks_[id].is_kept = false;
    }
    blocks_[id].references = 1;
    ++blocks_[id].generation;
    return id;
}

void BlockPool::retain(BlockId id) {
    Block& block = blocks_.at(id);
    if (block.is_kept) {
        kept_.erase(block.place);
        block.is_kept = false;
    } else {
        HEDDLE_CHECK(block.references > 0, "only a block with content is retained");
    }
    ++block.references;
}

void BlockPool::release(BlockId id, bool keep) {
    Block& block = blocks_.at(id);
    HEDDLE_CHECK(block.references > 0, "a block is released as often as it is taken");
    if (--block.references > 0) return;
    if (keep) {
        block.is_kept = true;
        block.place = kept_.insert(kept_.end(), id);
    } else {
        free_.push_back(id);
    }
}

}  // namespace heddle::engine
