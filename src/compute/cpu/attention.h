// Attention on the CPU, for paged caches and for encoders: units of one sequence, one key head and
// a few query rows walk over tiles of 16 tokens with a running softmax.
#pragma once

#include <vector>

#include "compute/backend.h"
#include "compute/cpu/cpu_kv_cache.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/vector_kernels.h"
#include "compute/thread_pool.h"

namespace heddle::compute::cpu {

// Owned by the backend, used by its executor thread and, inside a call, by the pool.
class Attention {
public:
    Attention(const Kernels& kernels, const VectorKernels& vectors, ThreadPool& pool);

    void paged(const Tensor& out, const ConstTensor& q, const CpuKvCache& cache, std::int64_t layer,
               const PagedBatch& batch, const AttentionOptions& options);
    void encoder(const Tensor& out, const ConstTensor& q, const ConstTensor& k,
                 const ConstTensor& v, const ConstTensor& starts, const AttentionOptions& options);

private:
    // Query rows (times the heads that share a key head) that one walk serves.
    static constexpr std::int64_t kUnitRows = 48;

    struct Unit {
        std::int64_t sequence;
        std::int64_t head;       // of keys
        std::int64_t row_begin;  // rows of the step
        std::int64_t row_end;
    };
    // What a walk keeps: queries by tiles, running maxima, sums and weighted values.
    struct Worker {
        std::vector<float> queries;     // [tile][dim][rows]
        std::vector<float> values;      // [row][padded dim]
        std::vector<float> key_tile;    // [padded dim][16]
        std::vector<float> value_tile;  // [16][padded dim]
        std::vector<ScoreRow> rows;
        std::vector<float> sums;    // [row][kTokenTile]
        std::vector<float> packed;  // an encoder sequence's keys by tiles, then values
    };
    struct Call;

    void run_units(const Call& call);
    void begin_unit(const Call& call, const Unit& unit, Worker& worker) const;
    // `tokens` of the 16 from `token` on exist.
    void attend_tile(const Call& call, Worker& worker, const float* keys, const float* values,
                     std::int64_t value_stride, std::int64_t token, std::int64_t tokens) const;
    void end_unit(const Call& call, const Unit& unit, const Worker& worker) const;
    void walk_paged(const Call& call, const Unit& unit, Worker& worker) const;
    void walk_encoder(const Call& call, const Unit& unit, Worker& worker) const;

    const Kernels& kernels_;
    const VectorKernels& vectors_;
    ThreadPool& pool_;
    std::vector<Unit> units_;
    std::vector<Worker> workers_;
};

}  // namespace heddle::compute::cpu
