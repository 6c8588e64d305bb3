#include "compute/cpu/cpu_kv_cache.h"

#include <cstring>
#include <new>

#include "compute/cpu/vector_kernels.h"
#include "compute/half.h"

namespace heddle::compute::cpu {
namespace {

void put(DType dtype, std::byte* base, std::int64_t index, float value) {
    if (dtype == DType::kF32) {
        reinterpret_cast<float*>(base)[index] = value;
        return;
    }
    reinterpret_cast<std::uint16_t*>(base)[index] =
        dtype == DType::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
}

}  // namespace

CpuKvCache::CpuKvCache(const KvCacheShape& shape)
    : KvCache(shape),
      padded_dim_((shape.head_dim + 15) / 16 * 16),
      block_bytes_(2 * shape.kv_heads * head_bytes()) {
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(shape.layers * shape.blocks, block_bytes_, &bytes)) {
        throw std::bad_alloc();
    }
    buffer_ = allocate_host(static_cast<std::size_t>(bytes));
    // Padding must be zero and stays so; the rest must hold no NaN, since a masked token's zero
    // probability is multiplied with its value.
    std::memset(buffer_.data(), 0, buffer_.bytes());
}

std::int64_t CpuKvCache::head_bytes() const {
    return shape().block_tokens * padded_dim_ * ::heddle::compute::block_bytes(shape().dtype);
}

std::byte* CpuKvCache::keys(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
    const KvCacheShape& s = shape();
    const std::int64_t block = slot / s.block_tokens;
    const std::int64_t token = slot % s.block_tokens;
    return static_cast<std::byte*>(buffer_.data()) + (layer * s.blocks + block) * block_bytes_ +
           head * head_bytes() +
           token / kTokenTile * kTokenTile * padded_dim_ * compute::block_bytes(s.dtype);
}

std::byte* CpuKvCache::values(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
    return keys(layer, head, slot) + shape().kv_heads * head_bytes();
}

void CpuKvCache::write(std::int64_t layer, std::int64_t head, std::int64_t slot, const float* k,
                       const float* v) {
    const DType dtype = shape().dtype;
    const std::int64_t token = slot % kTokenTile;
    std::byte* key_tile = keys(layer, head, slot);
    std::byte* value_tile = values(layer, head, slot);
    for (std::int64_t i = 0; i < shape().head_dim; ++i) {
        put(dtype, key_tile, i * kTokenTile + token, k[i]);
        put(dtype, value_tile, token * padded_dim_ + i, v[i]);
    }
}

void CpuKvCache::copy_block(std::int64_t from, std::int64_t to) {
    auto* base = static_cast<std::byte*>(buffer_.data());
    for (std::int64_t layer = 0; layer < shape().layers; ++layer) {
        std::byte* first = base + layer * shape().blocks * block_bytes_;
        std::memmove(first + to * block_bytes_, first + from * block_bytes_,
                     static_cast<std::size_t>(block_bytes_));
    }
}

}  // namespace heddle::compute::cpu
