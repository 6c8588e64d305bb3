#include "compute/op_checks.h"

#include <bit>
#include <limits>

namespace heddle::compute::checks {
namespace {

bool is_f32(const ConstTensor& t) {
    return t.dtype() == DType::kF32;
}
bool is_i32_vector(const ConstTensor& t) {
    return t.dtype() == DType::kI32 && t.rank() == 1 && t.contiguous();
}
bool is_f32_vector(const ConstTensor& t, std::int64_t n) {
    return is_f32(t) && t.rank() == 1 && t.contiguous() && t.cols() == n;
}

void attention_options(const AttentionOptions& options, std::int64_t heads) {
    HEDDLE_CHECK(options.sliding_window >= 0, "a window is not negative");
    HEDDLE_CHECK(options.logit_softcap >= 0.0F, "a softcap is not negative");
    HEDDLE_CHECK(options.alibi_slopes.empty() || is_f32_vector(options.alibi_slopes, heads),
                 "one slope a query head");
}

}  // namespace

void linear(const ConstTensor& y, const ConstTensor& x, const Weight& w,
            const LinearOptions& options) {
    HEDDLE_CHECK(x.rank() == 2 && y.rank() == 2, "linear works on matrices");
    HEDDLE_CHECK(x.cols() == w.cols() && y.cols() == w.rows() && x.rows() == y.rows(),
                 "Y [m, n] = X [m, k] W^T");
    HEDDLE_CHECK(options.bias.empty() || is_f32_vector(options.bias, w.rows()),
                 "one bias an output");
}

void embedding(const ConstTensor& y, const Weight& table, const ConstTensor& ids) {
    HEDDLE_CHECK(is_i32_vector(ids), "ids are a vector of i32");
    HEDDLE_CHECK(y.rank() == 2 && y.rows() == ids.cols() && y.cols() == table.cols(),
                 "one row of the table an id");
}

void norm(const ConstTensor& y, const ConstTensor& x, const ConstTensor& residual,
          const ConstTensor& weight, const ConstTensor& bias) {
    HEDDLE_CHECK((x.rank() == 2 || x.rank() == 3) && y.same_shape(x), "Y has the shape of X");
    HEDDLE_CHECK(residual.empty() || residual.same_shape(x), "residual has the shape of X");
    HEDDLE_CHECK(is_f32_vector(weight, x.cols()), "one weight a column");
    HEDDLE_CHECK(bias.empty() || is_f32_vector(bias, x.cols()), "one bias a column");
}

void rope(const ConstTensor& x, const ConstTensor& positions, const RopeOptions& options) {
    HEDDLE_CHECK(x.rank() == 3, "X is [m, heads, head_dim]");
    HEDDLE_CHECK(is_i32_vector(positions) && positions.cols() == x.dim(0), "one position a row");
    const ConstTensor& frequencies = options.inverse_frequencies;
    HEDDLE_CHECK(
        is_f32_vector(frequencies, frequencies.cols()) && 2 * frequencies.cols() <= x.cols(),
        "one frequency a turned pair");
}

void elementwise(const ConstTensor& y, const ConstTensor& x) {
    HEDDLE_CHECK(is_f32(x) && is_f32(y) && y.same_shape(x), "Y has the shape of X, both f32");
}

void add(const ConstTensor& y, const ConstTensor& a, const ConstTensor& b) {
    elementwise(y, a);
    HEDDLE_CHECK(is_f32(b) && b.cols() == a.cols() && (b.same_shape(a) || b.rows() == 1),
                 "B is one row or has the shape of A");
}

void gather_rows(const ConstTensor& y, const ConstTensor& x, const ConstTensor& rows) {
    HEDDLE_CHECK(is_i32_vector(rows), "row numbers are a vector of i32");
    HEDDLE_CHECK(y.rank() == 2 && x.rank() == 2 && y.rows() == rows.cols() &&
                     y.cols() == x.cols() && x.dtype() == y.dtype(),
                 "Y [m, n] = X[rows[m]]");
}

void mean_pool(const ConstTensor& y, const ConstTensor& x, const ConstTensor& starts) {
    HEDDLE_CHECK(is_i32_vector(starts), "starts are a vector of i32");
    HEDDLE_CHECK(y.rank() == 2 && x.rank() == 2 && y.rows() + 1 == starts.cols() &&
                     y.cols() == x.cols() && is_f32(x) && is_f32(y),
                 "Y [sequences, n], starts [sequences + 1]");
}

void write_kv(const KvCache& cache, std::int64_t layer, const ConstTensor& k, const ConstTensor& v,
              const ConstTensor& slots) {
    const KvCacheShape& shape = cache.shape();
    HEDDLE_CHECK(layer >= 0 && layer < shape.layers, "the cache has that layer");
    HEDDLE_CHECK(k.rank() == 3 && k.same_shape(v) && k.dim(1) == shape.kv_heads &&
                     k.cols() == shape.head_dim,
                 "keys and values are [m, kv_heads, head_dim]");
    HEDDLE_CHECK(is_i32_vector(slots) && slots.cols() == k.dim(0), "one slot a row");
}

void paged_attention(const ConstTensor& out, const ConstTensor& q, const KvCache& cache,
                     std::int64_t layer, const PagedBatch& batch, const AttentionOptions& options) {
    const KvCacheShape& shape = cache.shape();
    HEDDLE_CHECK(layer >= 0 && layer < shape.layers, "the cache has that layer");
    HEDDLE_CHECK(q.rank() == 3 && out.same_shape(q) && q.cols() == shape.head_dim &&
                     q.dim(1) % shape.kv_heads == 0,
                 "Q and Out are [m, heads, head_dim]");
    const std::int64_t sequences = batch.context_lengths.cols();
    HEDDLE_CHECK(is_i32_vector(batch.context_lengths) && is_i32_vector(batch.query_starts) &&
                     batch.query_starts.cols() == sequences + 1,
                 "starts [sequences + 1], lengths [sequences]");
    HEDDLE_CHECK(batch.block_tables.dtype() == DType::kI32 && batch.block_tables.rank() == 2 &&
                     batch.block_tables.rows() == sequences,
                 "one block table a sequence");
    HEDDLE_CHECK(batch.context_tokens_max <= batch.block_tables.cols() * shape.block_tokens,
                 "the block tables hold the longest context");
    attention_options(options, q.dim(1));
}

void encoder_attention(const ConstTensor& out, const ConstTensor& q, const ConstTensor& k,
                       const ConstTensor& v, const ConstTensor& starts,
                       const AttentionOptions& options) {
    HEDDLE_CHECK(q.rank() == 3 && out.same_shape(q), "Q and Out are [m, heads, head_dim]");
    HEDDLE_CHECK(k.rank() == 3 && k.same_shape(v) && k.dim(0) == q.dim(0) && k.cols() == q.cols() &&
                     k.dim(1) > 0 && q.dim(1) % k.dim(1) == 0,
                 "K and V are [m, kv_heads, head_dim]");
    HEDDLE_CHECK(is_i32_vector(starts) && starts.cols() >= 1, "starts are [sequences + 1]");
    attention_options(options, q.dim(1));
}

Result<> kv_cache_shape(const KvCacheShape& shape) {
    const bool block_fits = shape.block_tokens >= 16 && shape.block_tokens <= 256 &&
                            std::has_single_bit(static_cast<std::uint64_t>(shape.block_tokens));
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    const auto in_range = [](std::int64_t n) { return n >= 1 && n <= kMax; };
    const bool type_fits =
        shape.dtype == DType::kF32 || shape.dtype == DType::kF16 || shape.dtype == DType::kBF16;
    std::int64_t slots = 0;
    if (!block_fits || !in_range(shape.layers) || !in_range(shape.blocks) ||
        !in_range(shape.kv_heads) || !in_range(shape.head_dim) || !type_fits ||
        __builtin_mul_overflow(shape.blocks, shape.block_tokens, &slots) || slots > kMax) {
        return fail(ErrorCode::kInvalidArgument, "the shape of the KV cache is out of range");
    }
    std::int64_t bytes = 2 * block_bytes(shape.dtype);
    for (const std::int64_t n : {shape.layers, slots, shape.kv_heads, shape.head_dim}) {
        if (__builtin_mul_overflow(bytes, n, &bytes)) {
            return fail(ErrorCode::kInvalidArgument, "the shape of the KV cache is out of range");
        }
    }
    return {};
}

}  // namespace heddle::compute::checks
