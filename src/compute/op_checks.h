// The contracts of backend.h as checks, shared by every backend so that a wrong call fails the
// same way on each. All abort through HEDDLE_CHECK: shapes are the caller's bug.
#pragma once

#include "compute/backend.h"

namespace heddle::compute::checks {

void linear(const ConstTensor& y, const ConstTensor& x, const Weight& w,
            const LinearOptions& options);
void embedding(const ConstTensor& y, const Weight& table, const ConstTensor& ids);
void norm(const ConstTensor& y, const ConstTensor& x, const ConstTensor& residual,
          const ConstTensor& weight, const ConstTensor& bias);
void rope(const ConstTensor& x, const ConstTensor& positions, const RopeOptions& options);
// Same shape, both of type f32.
void elementwise(const ConstTensor& y, const ConstTensor& x);
void add(const ConstTensor& y, const ConstTensor& a, const ConstTensor& b);
void gather_rows(const ConstTensor& y, const ConstTensor& x, const ConstTensor& rows);
void mean_pool(const ConstTensor& y, const ConstTensor& x, const ConstTensor& starts);
void write_kv(const KvCache& cache, std::int64_t layer, const ConstTensor& k, const ConstTensor& v,
              const ConstTensor& slots);
void paged_attention(const ConstTensor& out, const ConstTensor& q, const KvCache& cache,
                     std::int64_t layer, const PagedBatch& batch, const AttentionOptions& options);
void encoder_attention(const ConstTensor& out, const ConstTensor& q, const ConstTensor& k,
                       const ConstTensor& v, const ConstTensor& starts,
                       const AttentionOptions& options);
// An answer instead of an abort: shapes of caches follow from model files.
[[nodiscard]] Result<> kv_cache_shape(const KvCacheShape& shape);

}  // namespace heddle::compute::checks
