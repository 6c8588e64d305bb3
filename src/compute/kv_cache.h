// Keys and values of past tokens, in blocks that sequences share and own through block tables.
// The engine deals in block ids only; how a block lies in memory is the backend's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "compute/dtype.h"

namespace heddle::compute {

struct KvCacheShape {
    std::int64_t layers = 0;
    std::int64_t blocks = 0;
    std::int64_t block_tokens = 16;  // a power of two, 16 to 256
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;  // of keys and of values
    DType dtype = DType::kF32;  // kF32, kF16 or kBF16

    [[nodiscard]] std::int64_t bytes_per_block() const {
        return 2 * layers * block_tokens * kv_heads * head_dim * block_bytes(dtype);
    }
};

// Opaque, made by one backend; all memory is taken when it is made. Block ids are 0 … blocks-1.
class KvCache {
public:
    virtual ~KvCache() = default;
    KvCache(const KvCache&) = delete;
    KvCache& operator=(const KvCache&) = delete;

    [[nodiscard]] const KvCacheShape& shape() const { return shape_; }

protected:
    explicit KvCache(const KvCacheShape& shape) : shape_(shape) {}

private:
    KvCacheShape shape_;
};

}  // namespace heddle::compute
