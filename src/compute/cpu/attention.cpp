#include "compute/cpu/attention.h"

#include <algorithm>
#include <limits>

namespace heddle::compute::cpu {

struct Attention::Call {
    const Tensor& out;
    const ConstTensor& q;
    const AttentionOptions& options;
    std::int64_t heads;
    std::int64_t group;  // query heads that share a key head
    std::int64_t dim;
    std::int64_t padded;  // dim rounded up to 16
    // One of the two kinds.
    const CpuKvCache* cache = nullptr;
    std::int64_t layer = 0;
    const PagedBatch* batch = nullptr;
    const ConstTensor* k = nullptr;
    const ConstTensor* v = nullptr;
    const std::int32_t* starts = nullptr;

    [[nodiscard]] bool causal() const { return cache != nullptr; }
    // Tokens that sequence s has, and the position of a row of it.
    [[nodiscard]] std::int64_t tokens(std::int64_t s) const {
        return causal() ? batch->context_lengths.as<std::int32_t>()[s] : starts[s + 1] - starts[s];
    }
    [[nodiscard]] std::int64_t position(std::int64_t s, std::int64_t row) const {
        return tokens(s) - (starts[s + 1] - row);
    }
    // Tokens that a position sees: [begin, end).
    [[nodiscard]] Range visible(std::int64_t s, std::int64_t position) const {
        const std::int64_t window = options.sliding_window;
        Range range{0, causal() ? position + 1 : tokens(s)};
        if (window > 0) {
            range.begin = std::max<std::int64_t>(0, position - window + 1);
            range.end = std::min(range.end, position + window);
        }
        return range;
    }
};

Attention::Attention(const Kernels& kernels, const VectorKernels& vectors, ThreadPool& pool)
    : kernels_(kernels),
      vectors_(vectors),
      pool_(pool),
      workers_(static_cast<std::size_t>(pool.threads())) {}

void Attention::paged(const Tensor& out, const ConstTensor& q, const CpuKvCache& cache,
                      std::int64_t layer, const PagedBatch& batch,
                      const AttentionOptions& options) {
    Call call{.out = out,
              .q = q,
              .options = options,
              .heads = q.dim(1),
              .group = q.dim(1) / cache.shape().kv_heads,
              .dim = q.cols(),
              .padded = cache.padded_dim()};
    call.cache = &cache;
    call.layer = layer;
    call.batch = &batch;
    call.starts = batch.query_starts.as<std::int32_t>();
    units_.clear();
    const std::int64_t step = std::max<std::int64_t>(1, kUnitRows / call.group);
    for (std::int64_t s = 0; s < batch.context_lengths.cols(); ++s) {
        const std::int64_t rows = call.starts[s + 1] - call.starts[s];
        HEDDLE_CHECK(rows >= 0 && call.starts[s] >= 0 && call.starts[s + 1] <= q.dim(0) &&
                         rows <= call.tokens(s),
                     "a sequence's rows are the end of its context");
        for (std::int64_t h = 0; h < cache.shape().kv_heads; ++h) {
            for (std::int64_t row = call.starts[s]; row < call.starts[s + 1]; row += step) {
                units_.push_back(
                    {s, h, row, std::min<std::int64_t>(row + step, call.starts[s + 1])});
            }
        }
    }
    run_units(call);
}

void Attention::encoder(const Tensor& out, const ConstTensor& q, const ConstTensor& k,
                        const ConstTensor& v, const ConstTensor& starts,
                        const AttentionOptions& options) {
    Call call{.out = out,
              .q = q,
              .options = options,
              .heads = q.dim(1),
              .group = q.dim(1) / k.dim(1),
              .dim = q.cols(),
              .padded = (q.cols() + kTokenTile - 1) / kTokenTile * kTokenTile};
    call.k = &k;
    call.v = &v;
    call.starts = starts.as<std::int32_t>();
    units_.clear();
    // A unit packs its sequence's keys once, so it takes all rows of a head.
    for (std::int64_t s = 0; s + 1 < starts.cols(); ++s) {
        HEDDLE_CHECK(call.starts[s] >= 0 && call.starts[s] <= call.starts[s + 1] &&
                         call.starts[s + 1] <= q.dim(0),
                     "starts ascend within the rows");
        for (std::int64_t h = 0; h < k.dim(1) && call.tokens(s) > 0; ++h) {
            units_.push_back({s, h, call.starts[s], call.starts[s + 1]});
        }
    }
    run_units(call);
}

void Attention::run_units(const Call& call) {
    pool_.run(static_cast<std::int64_t>(units_.size()), [&](std::int64_t i, int index) {
        Worker& worker = workers_[static_cast<std::size_t>(index)];
        const Unit& unit = units_[static_cast<std::size_t>(i)];
        if (!call.causal()) return walk_encoder(call, unit, worker);
        begin_unit(call, unit, worker);
        walk_paged(call, unit, worker);
        end_unit(call, unit, worker);
    });
}

void Attention::begin_unit(const Call& call, const Unit& unit, Worker& worker) const {
    const std::int64_t rows = (unit.row_end - unit.row_begin) * call.group;
    const auto count = static_cast<std::size_t>(rows);
    worker.rows.resize(count);
    worker.sums.assign(count * kTokenTile, 0.0F);
    worker.values.assign(count * static_cast<std::size_t>(call.padded), 0.0F);
    worker.queries.resize(count * static_cast<std::size_t>(call.dim));
    const std::int64_t tile = kernels_.float_rows_max;
    const auto* slopes =
        call.options.alibi_slopes.empty() ? nullptr : call.options.alibi_slopes.as<float>();
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t head = unit.head * call.group + r % call.group;
        const std::int64_t row = unit.row_begin + r / call.group;
        const std::int64_t position = call.position(unit.sequence, row);
        const Range visible = call.visible(unit.sequence, position);
        worker.rows[static_cast<std::size_t>(r)] = {
            .visible_begin = static_cast<std::int32_t>(visible.begin),
            .visible_end = static_cast<std::int32_t>(visible.end),
            .position = static_cast<float>(position),
            .slope = slopes == nullptr ? 0.0F : slopes[head],
            .max = -std::numeric_limits<float>::infinity(),
            .factor = 1.0F};
        const float* from = call.q.row<float>(row * call.heads + head);
        const std::int64_t first = r / tile * tile;
        const std::int64_t tile_rows = std::min(tile, rows - first);
        float* to = worker.queries.data() + first * call.dim + (r - first);
        for (std::int64_t i = 0; i < call.dim; ++i) to[i * tile_rows] = from[i];
    }
}

void Attention::attend_tile(const Call& call, Worker& worker, const float* keys,
                            const float* values, std::int64_t value_stride, std::int64_t token,
                            std::int64_t tokens) const {
    const auto rows = static_cast<std::int64_t>(worker.rows.size());
    constexpr int kRowsMax = 16;
    alignas(64) float scores[kRowsMax * kTokenTile];
    for (std::int64_t first = 0; first < rows; first += kernels_.float_rows_max) {
        const int count =
            static_cast<int>(std::min<std::int64_t>(kernels_.float_rows_max, rows - first));
        std::fill_n(scores, count * kTokenTile, 0.0F);
        kernels_.tile_f32(worker.queries.data() + first * call.dim, keys, kTokenTile, call.dim,
                          count, scores, kTokenTile);
        ScoreRow* score_rows = worker.rows.data() + first;
        vectors_.score_tile({.scores = scores,
                             .rows = score_rows,
                             .sums = worker.sums.data() + first * kTokenTile,
                             .count = count,
                             .token = static_cast<std::int32_t>(token),
                             .scale = call.options.scale,
                             .softcap = call.options.logit_softcap,
                             .symmetric = !call.causal()});
        float* sums = worker.values.data() + first * call.padded;
        for (int r = 0; r < count; ++r) {
            float* row = sums + r * call.padded;
            const float factor = score_rows[r].factor;
            if (factor != 1.0F) vectors_.scale(row, row, factor, call.padded);
        }
        for (std::int64_t c = 0; c < call.padded; c += kTokenTile) {
            kernels_.tile_scores(scores, values + c, value_stride, tokens, count, sums + c,
                                 call.padded);
        }
    }
}

void Attention::end_unit(const Call& call, const Unit& unit, const Worker& worker) const {
    const std::int64_t rows = (unit.row_end - unit.row_begin) * call.group;
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t head = unit.head * call.group + r % call.group;
        float* to = call.out.row<float>((unit.row_begin + r / call.group) * call.heads + head);
        float sum = 0.0F;
        for (int t = 0; t < kTokenTile; ++t) {
            sum += worker.sums[static_cast<std::size_t>(r * kTokenTile + t)];
        }
        vectors_.scale(to, worker.values.data() + r * call.padded, 1.0F / sum, call.dim);
    }
}

void Attention::walk_paged(const Call& call, const Unit& unit, Worker& worker) const {
    const KvCacheShape& shape = call.cache->shape();
    const auto* table = call.batch->block_tables.row<std::int32_t>(unit.sequence);
    const std::int64_t begin =
        call.visible(unit.sequence, call.position(unit.sequence, unit.row_begin)).begin;
    const std::int64_t end =
        call.visible(unit.sequence, call.position(unit.sequence, unit.row_end - 1)).end;
    const std::int64_t elements = kTokenTile * call.padded;
    if (shape.dtype != DType::kF32) {
        worker.key_tile.resize(static_cast<std::size_t>(elements));
        worker.value_tile.resize(static_cast<std::size_t>(elements));
    }
    for (std::int64_t token = begin / kTokenTile * kTokenTile; token < end; token += kTokenTile) {
        const std::int64_t block = table[token / shape.block_tokens];
        HEDDLE_CHECK(block >= 0 && block < shape.blocks, "blocks lie inside the cache");
        const std::int64_t slot = block * shape.block_tokens + token % shape.block_tokens;
        const std::byte* keys = call.cache->keys(call.layer, unit.head, slot);
        const std::byte* values = call.cache->values(call.layer, unit.head, slot);
        if (shape.dtype != DType::kF32) {
            const auto widen =
                shape.dtype == DType::kF16 ? kernels_.widen_f16 : kernels_.widen_bf16;
            widen(reinterpret_cast<const std::uint16_t*>(keys), elements, worker.key_tile.data());
            widen(reinterpret_cast<const std::uint16_t*>(values), elements,
                  worker.value_tile.data());
            keys = reinterpret_cast<const std::byte*>(worker.key_tile.data());
            values = reinterpret_cast<const std::byte*>(worker.value_tile.data());
        }
        const std::int64_t tokens =
            std::min<std::int64_t>(kTokenTile, call.tokens(unit.sequence) - token);
        attend_tile(call, worker, reinterpret_cast<const float*>(keys),
                    reinterpret_cast<const float*>(values), call.padded, token, tokens);
    }
}

void Attention::walk_encoder(const Call& call, const Unit& unit, Worker& worker) const {
    const std::int64_t tokens = call.tokens(unit.sequence);
    const std::int64_t tiles = (tokens + kTokenTile - 1) / kTokenTile;
    const std::int64_t kv_heads = call.k->dim(1);
    const std::int64_t first = call.starts[unit.sequence];
    // Keys turned into tiles; values too where their rows are no whole vectors.
    const bool pack_values = call.padded != call.dim;
    const std::int64_t key_floats = tiles * kTokenTile * call.dim;
    const std::int64_t value_floats = pack_values ? tokens * call.padded : 0;
    worker.packed.assign(static_cast<std::size_t>(key_floats + value_floats), 0.0F);
    for (std::int64_t t = 0; t < tokens; ++t) {
        const float* k = call.k->row<float>((first + t) * kv_heads + unit.head);
        float* to = worker.packed.data() + t / kTokenTile * kTokenTile * call.dim + t % kTokenTile;
        for (std::int64_t i = 0; i < call.dim; ++i) to[i * kTokenTile] = k[i];
        if (pack_values) {
            std::copy_n(call.v->row<float>((first + t) * kv_heads + unit.head), call.dim,
                        worker.packed.data() + key_floats + t * call.padded);
        }
    }
    const std::int64_t step = std::max<std::int64_t>(1, kUnitRows / call.group);
    for (std::int64_t row = unit.row_begin; row < unit.row_end; row += step) {
        const Unit part{unit.sequence, unit.head, row, std::min(row + step, unit.row_end)};
        begin_unit(call, part, worker);
        const std::int64_t begin =
            call.visible(unit.sequence, call.position(unit.sequence, part.row_begin)).begin;
        const std::int64_t end =
            call.visible(unit.sequence, call.position(unit.sequence, part.row_end - 1)).end;
        for (std::int64_t t = begin / kTokenTile; t * kTokenTile < end; ++t) {
            const float* values =
                pack_values ? worker.packed.data() + key_floats + t * kTokenTile * call.padded
                            : call.v->row<float>((first + t * kTokenTile) * kv_heads + unit.head);
            attend_tile(call, worker, worker.packed.data() + t * kTokenTile * call.dim, values,
                        pack_values ? call.padded : call.v->stride(0), t * kTokenTile,
                        std::min<std::int64_t>(kTokenTile, tokens - t * kTokenTile));
        }
        end_unit(call, part, worker);
    }
}

}  // namespace heddle::compute::cpu
