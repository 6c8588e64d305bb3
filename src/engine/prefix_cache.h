// Finds the blocks that already hold the beginning of a prompt.
//
// A published block is known by its parent (the block before it, or the salt for the first) and
// its own tokens; both are compared exactly on every hit, the hash only finds the candidate. So
// neither a crafted collision nor another tenant's prompt can give a sequence foreign content.
// A block stays published until the pool gives it out anew.
// Engine thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/block_pool.h"

namespace heddle::engine {

class PrefixCache {
public:
    // `pool` outlives the cache.
    PrefixCache(const BlockPool& pool, std::size_t block_tokens);

    // The longest run of published full blocks that `tokens` begins with. They are not retained:
    // the caller does that before anything else is allocated.
    [[nodiscard]] std::vector<BlockId> match(std::string_view salt,
                                             std::span<const TokenId> tokens) const;
    // A match was used, for the statistics.
    void count(std::size_t queried_tokens, std::size_t hit_tokens);

    // Publishes `block`, which holds the computed `tokens` (exactly one block of them) and
    // follows `parent`. Returns the parent to name for the next block: this one, or the one that
    // was published with the same content before. None when `parent` is no longer published:
    // then nothing that follows it could be found.
    std::optional<BlockRef> publish(BlockId block, std::optional<BlockRef> parent,
                                    std::string_view salt, std::span<const TokenId> tokens);

    [[nodiscard]] bool is_published(BlockId block) const;

    [[nodiscard]] std::uint64_t queried_tokens() const { return queried_tokens_; }
    [[nodiscard]] std::uint64_t hit_tokens() const { return hit_tokens_; }
    [[nodiscard]] std::uint64_t evicted_blocks() const { return evicted_blocks_; }

private:
    struct Entry {
        std::uint64_t hash = 0;
        std::uint64_t generation = 0;  // of this block when it was published; 0: never
        std::optional<BlockRef> parent;
        std::string salt;  // of first blocks; a later one is bound to it by its parent
        std::vector<TokenId> tokens;
    };

    [[nodiscard]] std::uint64_t hash_of(std::optional<BlockRef> parent, std::string_view salt,
                                        std::span<const TokenId> tokens) const;
    [[nodiscard]] std::optional<BlockId> find(std::uint64_t hash, std::optional<BlockRef> parent,
                                              std::string_view salt,
                                              std::span<const TokenId> tokens) const;
    void forget(BlockId block);

    const BlockPool& pool_;
    const std::size_t block_tokens_;
    const std::uint64_t seed_;
    std::vector<Entry> entries_;  // by block
    std::unordered_map<std::uint64_t, BlockId> by_hash_;
    std::uint64_t queried_tokens_ = 0;
    std::uint64_t hit_tokens_ = 0;
    std::uint64_t evicted_blocks_ = 0;
};

}  // namespace heddle::engine
