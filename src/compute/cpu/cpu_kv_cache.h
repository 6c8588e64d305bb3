// The CPU's paged KV cache. A block holds, per layer and head, its keys by tiles of 16 tokens,
// turned so that a tile is [dim][16] (the scores of 16 tokens are then one product of a tile, with
// no sums across lanes), and its values as [token][dim]. dim is padded to a multiple of 16.
#pragma once

#include "compute/kv_cache.h"
#include "compute/tensor.h"

namespace heddle::compute::cpu {

class CpuKvCache final : public KvCache {
public:
    explicit CpuKvCache(const KvCacheShape& shape);  // throws std::bad_alloc

    [[nodiscard]] std::int64_t padded_dim() const { return padded_dim_; }
    // The 16-token tile that begins at `slot` (a multiple of 16) of one layer and head: keys
    // [padded_dim][16], values [16][padded_dim], elements of shape().dtype.
    [[nodiscard]] std::byte* keys(std::int64_t layer, std::int64_t head, std::int64_t slot) const;
    [[nodiscard]] std::byte* values(std::int64_t layer, std::int64_t head, std::int64_t slot) const;
    void write(std::int64_t layer, std::int64_t head, std::int64_t slot, const float* k,
               const float* v);
    void copy_block(std::int64_t from, std::int64_t to);

private:
    [[nodiscard]] std::int64_t head_bytes() const;  // keys or values of one head in one block

    std::int64_t padded_dim_;
    std::int64_t block_bytes_;  // of one layer
    Buffer buffer_;             // [layers][blocks][keys, values][heads][tiles]
};

}  // namespace heddle::compute::cpu
