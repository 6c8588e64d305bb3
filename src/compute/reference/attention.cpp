// Attention of the reference: per query row and head, all scores, softmax, weighted sum.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "compute/half.h"
#include "compute/op_checks.h"
#include "compute/reference/reference_backend.h"

namespace heddle::compute::reference {
namespace {

// [layers][blocks][block_tokens][kv_heads][head_dim] of fp32 for keys and for values; 16-bit
// caches hold values that were rounded when written.
class ReferenceKvCache final : public KvCache {
public:
    explicit ReferenceKvCache(const KvCacheShape& shape)
        : KvCache(shape), keys(elements(shape)), values(elements(shape)) {}

    [[nodiscard]] std::size_t offset(std::int64_t layer, std::int64_t slot,
                                     std::int64_t head) const {
        const KvCacheShape& s = shape();
        return static_cast<std::size_t>(
            ((layer * s.blocks * s.block_tokens + slot) * s.kv_heads + head) * s.head_dim);
    }

    std::vector<float> keys;
    std::vector<float> values;

private:
    static std::size_t elements(const KvCacheShape& s) {
        return static_cast<std::size_t>(s.layers * s.blocks * s.block_tokens * s.kv_heads *
                                        s.head_dim);
    }
};

float round_to(DType dtype, float value) {
    if (dtype == DType::kF16) return f16_to_f32(f32_to_f16(value));
    if (dtype == DType::kBF16) return bf16_to_f32(f32_to_bf16(value));
    return value;
}

// One visible token of one head: where its key and value are, how far it is from the query.
struct Seen {
    const float* key;
    const float* value;
    std::int64_t distance;
};

void attend(const float* q, float* out, std::int64_t dim, std::int64_t head,
            const std::vector<Seen>& tokens, const AttentionOptions& options) {
    const double slope =
        options.alibi_slopes.empty() ? 0.0 : options.alibi_slopes.as<float>()[head];
    std::vector<double> scores;
    scores.reserve(tokens.size());
    for (const Seen& token : tokens) {
        double score = 0.0;
        for (std::int64_t i = 0; i < dim; ++i) score += static_cast<double>(q[i]) * token.key[i];
        score *= options.scale;
        if (options.logit_softcap > 0.0F) {
            score = options.logit_softcap * std::tanh(score / options.logit_softcap);
        }
        scores.push_back(score - slope * static_cast<double>(token.distance));
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0.0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (std::int64_t i = 0; i < dim; ++i) {
        double value = 0.0;
        for (std::size_t t = 0; t < tokens.size(); ++t) value += scores[t] * tokens[t].value[i];
        out[i] = static_cast<float>(value / sum);
    }
}

}  // namespace

Result<std::unique_ptr<KvCache>> ReferenceBackend::make_kv_cache(const KvCacheShape& shape) {
    HEDDLE_TRY_VOID(checks::kv_cache_shape(shape));
    return std::make_unique<ReferenceKvCache>(shape);
}

void ReferenceBackend::write_kv(KvCache& cache, std::int64_t layer, ConstTensor k, ConstTensor v,
                                ConstTensor slots) {
    checks::write_kv(cache, layer, k, v, slots);
    auto& own = dynamic_cast<ReferenceKvCache&>(cache);
    const KvCacheShape& shape = cache.shape();
    for (std::int64_t m = 0; m < k.dim(0); ++m) {
        const std::int64_t slot = slots.as<std::int32_t>()[m];
        if (slot < 0) continue;
        HEDDLE_CHECK(slot < shape.blocks * shape.block_tokens, "slots lie inside the cache");
        for (std::int64_t h = 0; h < shape.kv_heads; ++h) {
            const std::size_t to = own.offset(layer, slot, h);
            const std::int64_t row = m * shape.kv_heads + h;
            for (std::int64_t i = 0; i < shape.head_dim; ++i) {
                const auto at = to + static_cast<std::size_t>(i);
                own.keys[at] = round_to(shape.dtype, k.row<float>(row)[i]);
                own.values[at] = round_to(shape.dtype, v.row<float>(row)[i]);
            }
        }
    }
}

void ReferenceBackend::copy_blocks(KvCache& cache, std::span<const BlockCopy> copies) {
    auto& own = dynamic_cast<ReferenceKvCache&>(cache);
    const KvCacheShape& s = cache.shape();
    const std::int64_t count = s.block_tokens * s.kv_heads * s.head_dim;
    for (const BlockCopy& pair : copies) {
        HEDDLE_CHECK(pair.from >= 0 && pair.from < s.blocks && pair.to >= 0 && pair.to < s.blocks,
                     "blocks lie inside the cache");
        for (std::int64_t layer = 0; layer < s.layers; ++layer) {
            const std::size_t from = own.offset(layer, pair.from * s.block_tokens, 0);
            const std::size_t to = own.offset(layer, pair.to * s.block_tokens, 0);
            std::copy_n(own.keys.data() + from, count, own.keys.data() + to);
            std::copy_n(own.values.data() + from, count, own.values.data() + to);
        }
    }
}

void ReferenceBackend::paged_attention(Tensor out, ConstTensor q, const KvCache& cache,
                                       std::int64_t layer, const PagedBatch& batch,
                                       const AttentionOptions& options) {
    checks::paged_attention(out, q, cache, layer, batch, options);
    const auto& own = dynamic_cast<const ReferenceKvCache&>(cache);
    const KvCacheShape& shape = cache.shape();
    const std::int64_t heads = q.dim(1);
    const auto* starts = batch.query_starts.as<std::int32_t>();
    for (std::int64_t s = 0; s < batch.context_lengths.cols(); ++s) {
        const std::int64_t context = batch.context_lengths.as<std::int32_t>()[s];
        const auto* table = batch.block_tables.row<std::int32_t>(s);
        for (std::int64_t m = starts[s]; m < starts[s + 1]; ++m) {
            const std::int64_t position = context - (starts[s + 1] - m);
            const std::int64_t window = options.sliding_window;
            const std::int64_t first =
                window > 0 ? std::max<std::int64_t>(0, position - window + 1) : 0;
            for (std::int64_t h = 0; h < heads; ++h) {
                std::vector<Seen> tokens;
                for (std::int64_t t = first; t <= position; ++t) {
                    const std::int64_t slot =
                        table[t / shape.block_tokens] * shape.block_tokens + t % shape.block_tokens;
                    const std::size_t at = own.offset(layer, slot, h / (heads / shape.kv_heads));
                    tokens.push_back({own.keys.data() + at, own.values.data() + at, position - t});
                }
                attend(q.row<float>(m * heads + h), out.row<float>(m * heads + h), q.cols(), h,
                       tokens, options);
            }
        }
    }
}

void ReferenceBackend::encoder_attention(Tensor out, ConstTensor q, ConstTensor k, ConstTensor v,
                                         ConstTensor starts, std::int32_t,
                                         const AttentionOptions& options) {
    checks::encoder_attention(out, q, k, v, starts, options);
    const std::int64_t heads = q.dim(1);
    const std::int64_t kv_heads = k.dim(1);
    const auto* start = starts.as<std::int32_t>();
    for (std::int64_t s = 0; s + 1 < starts.cols(); ++s) {
        for (std::int64_t m = start[s]; m < start[s + 1]; ++m) {
            for (std::int64_t h = 0; h < heads; ++h) {
                std::vector<Seen> tokens;
                for (std::int64_t t = start[s]; t < start[s + 1]; ++t) {
                    const std::int64_t distance = std::abs(t - m);
                    const std::int64_t window = options.sliding_window;
                    if (window > 0 && distance >= window) continue;
                    const std::int64_t row = t * kv_heads + h / (heads / kv_heads);
                    tokens.push_back({k.row<float>(row), v.row<float>(row), distance});
                }
                attend(q.row<float>(m * heads + h), out.row<float>(m * heads + h), q.cols(), h,
                       tokens, options);
            }
        }
    }
}

}  // namespace heddle::compute::reference
