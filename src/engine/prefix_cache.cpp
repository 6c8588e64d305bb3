#include "engine/prefix_cache.h"

#include <algorithm>

#include "base/check.h"
#include "base/random.h"

namespace heddle::engine {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

std::uint64_t secret_seed() {
    std::uint64_t seed = 0;
    secure_random(std::as_writable_bytes(std::span(&seed, 1)));
    return seed;
}

}  // namespace

PrefixCache::PrefixCache(const BlockPool& pool, std::size_t block_tokens)
    : pool_(pool), block_tokens_(block_tokens), seed_(secret_seed()), entries_(pool.size()) {}

std::uint64_t PrefixCache::hash_of(std::optional<BlockRef> parent, std::string_view salt,
                                   std::span<const TokenId> tokens) const {
    std::uint64_t hash = seed_;
    if (parent) {
        hash = mix(hash ^ (std::uint64_t{1} << 40 | parent->block));
        hash = mix(hash ^ parent->generation);
    } else {
        for (const char c : salt) hash = mix(hash ^ static_cast<unsigned char>(c));
    }
    for (const TokenId token : tokens) hash = mix(hash ^ static_cast<std::uint32_t>(token));
    return hash;
}

bool PrefixCache::is_published(BlockId block) const {
    const Entry& entry = entries_[block];
    return entry.generation != 0 && entry.generation == pool_.generation(block);
}

std::optional<BlockId> PrefixCache::find(std::uint64_t hash, std::optional<BlockRef> parent,
                                         std::string_view salt,
                                         std::span<const TokenId> tokens) const {
    const auto at = by_hash_.find(hash);
    if (at == by_hash_.end() || !is_published(at->second)) return std::nullopt;
    const Entry& entry = entries_[at->second];
    const bool same_parent = entry.parent == parent && (parent || entry.salt == salt);
    if (!same_parent || !std::ranges::equal(entry.tokens, tokens)) return std::nullopt;
    return at->second;
}

std::vector<BlockId> PrefixCache::match(std::string_view salt,
                                        std::span<const TokenId> tokens) const {
    std::vector<BlockId> run;
    std::optional<BlockRef> parent;
    while (tokens.size() >= block_tokens_) {
        const auto block_tokens = tokens.first(block_tokens_);
        const auto found = find(hash_of(parent, salt, block_tokens), parent, salt, block_tokens);
        if (!found) break;
        run.push_back(*found);
        parent = BlockRef{*found, pool_.generation(*found)};
        tokens = tokens.subspan(block_tokens_);
    }
    return run;
}

void PrefixCache::count(std::size_t queried_tokens, std::size_t hit_tokens) {
    queried_tokens_ += queried_tokens;
    hit_tokens_ += hit_tokens;
}

void PrefixCache::forget(BlockId block) {
    Entry& entry = entries_[block];
    if (entry.generation == 0) return;
    const auto at = by_hash_.find(entry.hash);
    if (at != by_hash_.end() && at->second == block) by_hash_.erase(at);
    entry = Entry{};
    ++evicted_blocks_;
}

std::optional<BlockRef> PrefixCache::publish(BlockId block, std::optional<BlockRef> parent,
                                             std::string_view salt,
                                             std::span<const TokenId> tokens) {
    HEDDLE_CHECK(tokens.size() == block_tokens_, "only full blocks are published");
    const BlockRef self{block, pool_.generation(block)};
    if (is_published(block)) return self;
    if (parent &&
        (pool_.generation(parent->block) != parent->generation || !is_published(parent->block))) {
        return std::nullopt;
    }
    forget(block);
    const std::uint64_t hash = hash_of(parent, salt, tokens);
    if (const auto twin = find(hash, parent, salt, tokens)) {
        return BlockRef{*twin, pool_.generation(*twin)};
    }
    // What else stands under this hash is stale or a collision: the newer content wins.
    if (const auto at = by_hash_.find(hash); at != by_hash_.end()) forget(at->second);
    Entry& entry = entries_[block];
    entry.hash = hash;
    entry.generation = self.generation;
    entry.parent = parent;
    if (!parent) entry.salt = salt;
    entry.tokens.assign(tokens.begin(), tokens.end());
    by_hash_[hash] = block;
    return self;
}

}  // namespace heddle::engine
