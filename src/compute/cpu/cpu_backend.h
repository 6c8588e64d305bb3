// The fast backend: kernels chosen for the processor at run time, fork and join over a fixed
// number of threads, fp32 activations.
#pragma once

#include <vector>

#include "compute/cpu/attention.h"
#include "compute/cpu/linear.h"
#include "compute/cpu/vector_kernels.h"
#include "compute/host_backend.h"
#include "compute/thread_pool.h"

namespace heddle::compute::cpu {

class CpuBackend final : public HostBackend {
public:
    // `level` must be one that the processor has, or kBest.
    CpuBackend(int threads, IsaLevel level);

    [[nodiscard]] const BackendInfo& info() const override { return info_; }
    [[nodiscard]] Result<> reserve(std::int64_t rows, std::int64_t cols) override;
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
    // Cosines and sines of a step's positions: computed for the first layer, kept for the others.
    struct RopeTable {
        std::vector<std::int32_t> positions;
        std::vector<float> frequencies;
        float factor = 0.0F;
        std::vector<float> cosine;  // [row][pair]
        std::vector<float> sine;
    };

    void update_rope_table(const ConstTensor& positions, const RopeOptions& options);
    void activate_row(float* y, const float* x, std::int64_t n, Activation kind) const;
    // Calls fn(row) for every row, on all threads where `elements` make that worth it.
    template <class Fn>
    void each_row(std::int64_t rows, std::int64_t elements, Fn fn);

    const IsaLevel level_;
    const VectorKernels& vectors_;
    BackendInfo info_;
    ThreadPool pool_;
    Linear linear_;
    Attention attention_;
    RopeTable rope_table_;
};

}  // namespace heddle::compute::cpu
