// Y = X W^T + b on the CPU: pack the activations, then let the threads take panels of the weight,
// each unpacking a chunk into its own scratch and multiplying all rows with it.
#pragma once

#include <vector>

#include "compute/backend.h"
#include "compute/cpu/activations.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/packed_weight.h"
#include "compute/thread_pool.h"

namespace heddle::compute::cpu {

// Owned by the backend, used by its executor thread and, inside run(), by the pool.
class Linear {
public:
    Linear(const Kernels& kernels, ThreadPool& pool);

    void run(const Tensor& y, const ConstTensor& x, const PackedWeight& w,
             const LinearOptions& options);
    void reserve(std::int64_t rows, std::int64_t cols);

private:
    // Rows of activations that one pass over a panel serves: their sums stay in the first cache.
    static constexpr int kPassRows = 96;

    struct Worker {
        alignas(64) WordChunk words;
        alignas(64) ByteChunk bytes;
        alignas(64) float sums[kPassRows * kPanelRows];
    };
    // What activations_ holds.
    struct Input {
        const void* data = nullptr;
        std::int64_t rows = 0;
        std::int64_t cols = 0;
        ActivationKind kind = ActivationKind::kFloats;
        int sum_cols = 0;
        bool operator==(const Input&) const = default;
    };
    struct Job {
        const Tensor& y;
        const PackedWeight& w;
        const LinearOptions& options;
    };

    void pack_input(const ConstTensor& x, ActivationKind kind, int sum_cols, bool same);
    void multiply(const Job& job, Worker& worker, std::int64_t pass, std::int64_t panel);
    void multiply_chunk(const PackedWeight& w, Worker& worker, std::int64_t panel,
                        std::int64_t chunk, std::int64_t tile, std::int64_t tile_end);
    void finish(const Job& job, const Worker& worker, std::int64_t first, std::int64_t rows,
                std::int64_t panel);

    const Kernels& kernels_;
    ThreadPool& pool_;
    PackedActivations activations_;
    Input packed_;
    std::vector<Worker> workers_;
};

}  // namespace heddle::compute::cpu
