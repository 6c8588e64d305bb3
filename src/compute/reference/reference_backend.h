// The implementation that is obviously right: fp32 values, one loop after another, sums in
// double, weights decoded from their stored type as they are read. Slow on purpose; tests compare
// the others with it. One thread.
#pragma once

#include "compute/host_backend.h"

namespace heddle::compute::reference {

class ReferenceBackend final : public HostBackend {
public:
    [[nodiscard]] const BackendInfo& info() const override { return info_; }
    [[nodiscard]] Result<> reserve(std::int64_t rows, std::int64_t cols) override;
    // Every arithmetic is computed exactly here.
    [[nodiscard]] Result<WeightPtr> prepare_linear(const WeightSource& source,
                                                   Arithmetic arithmetic) override;
    void linear(Tensor y, ConstTensor x, const Weight& w, const LinearOptions& options) override;

    void layer_norm(Tensor y, ConstTensor x, ConstTensor residual, ConstTensor weight,
                    ConstTensor bias, const NormOptions& options) override;
    void rms_norm(Tensor y, ConstTensor x, Tensor residual, ConstTensor weight,
                  const NormOptions& options) override;
    void rope(Tensor x, ConstTensor positions, const RopeOptions& options) override;
    void activate(Tensor y, ConstTensor x, Activation kind) override;
    void gated_activate(Tensor y, ConstTensor gate, ConstTensor up, Activation kind) override;
    void add(Tensor y, ConstTensor a, ConstTensor b) override;
    void scale(Tensor y, ConstTensor x, float factor) override;
    void softcap(Tensor y, ConstTensor x, float cap) override;
    void softmax(Tensor y, ConstTensor x) override;
    void mean_pool(Tensor y, ConstTensor x, ConstTensor starts) override;
    void l2_normalize(Tensor y, ConstTensor x) override;

    [[nodiscard]] Result<std::unique_ptr<KvCache>> make_kv_cache(
        const KvCacheShape& shape) override;
    void write_kv(KvCache& cache, std::int64_t layer, ConstTensor k, ConstTensor v,
                  ConstTensor slots) override;
    void copy_blocks(KvCache& cache, std::span<const BlockCopy> copies) override;
    void paged_attention(Tensor out, ConstTensor q, const KvCache& cache, std::int64_t layer,
                         const PagedBatch& batch, const AttentionOptions& options) override;
    void encoder_attention(Tensor out, ConstTensor q, ConstTensor k, ConstTensor v,
                           ConstTensor starts, std::int32_t rows_max,
                           const AttentionOptions& options) override;

private:
    BackendInfo info_{.name = "reference", .description = "reference, 1 thread, fp32"};
};

}  // namespace heddle::compute::reference
