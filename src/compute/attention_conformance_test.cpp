// Paged and encoder attention on every kernel path against the reference: mixed batches, shared
// heads, windows, softcaps, ALiBi, odd dimensions, scattered blocks; and that neither the way a
// prompt is cut into chunks nor the batch around it changes a single bit.
#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "compute/conformance_testing.h"

namespace heddle::compute::testing {
namespace {

struct Heads {
    std::int64_t query;
    std::int64_t kv;
    std::int64_t dim;
};

// A cache filled with random tokens for some sequences, the same on any backend.
class PagedCase {
public:
    PagedCase(Seeded& seeded, const Heads& heads, std::int64_t block_tokens,
              std::vector<std::int32_t> contexts)
        : heads_(heads), block_tokens_(block_tokens), contexts_(std::move(contexts)) {
        const std::int32_t longest = *std::max_element(contexts_.begin(), contexts_.end());
        width_ = (longest + block_tokens - 1) / block_tokens + 1;
        blocks_ = width_ * static_cast<std::int64_t>(contexts_.size());
        // Blocks in random order, so that neighbours in a sequence lie apart.
        table_.resize(static_cast<std::size_t>(blocks_));
        std::iota(table_.begin(), table_.end(), 0);
        std::shuffle(table_.begin(), table_.end(), seeded.rng());
        for (const std::int32_t context : contexts_) {
            keys_.push_back(Matrix::random(seeded, context, heads.kv * heads.dim));
            values_.push_back(Matrix::random(seeded, context, heads.kv * heads.dim));
            queries_.push_back(Matrix::random(seeded, context, heads.query * heads.dim));
        }
    }

    [[nodiscard]] std::unique_ptr<KvCache> fill(Backend& backend, DType dtype) const {
        auto cache = std::move(backend.make_kv_cache({.layers = 2,
                                                      .blocks = blocks_,
                                                      .block_tokens = block_tokens_,
                                                      .kv_heads = heads_.kv,
                                                      .head_dim = heads_.dim,
                                                      .dtype = dtype}))
                         .value();
        for (std::size_t s = 0; s < contexts_.size(); ++s) {
            std::vector<std::int32_t> slots;
            for (std::int32_t t = 0; t < contexts_[s]; ++t) slots.push_back(slot(s, t));
            backend.write_kv(*cache, 1, keys_[s].heads(heads_.kv), values_[s].heads(heads_.kv),
                             Integers(slots).in());
        }
        return cache;
    }

    // Attention of the last rows[s] tokens of each sequence at a context that ends at ends[s].
    [[nodiscard]] Matrix attend(Backend& backend, const KvCache& cache,
                                const std::vector<std::int32_t>& rows,
                                const std::vector<std::int32_t>& ends,
                                const AttentionOptions& options) const {
        std::vector<std::int32_t> starts{0};
        for (const std::int32_t count : rows) starts.push_back(starts.back() + count);
        const std::int64_t width = heads_.query * heads_.dim;
        const Matrix q = Matrix::poisoned(starts.back(), width);
        for (std::size_t s = 0; s < rows.size(); ++s) {
            for (std::int32_t r = 0; r < rows[s]; ++r) {
                std::copy_n(queries_[s].view().row<float>(ends[s] - rows[s] + r), width,
                            q.view().row<float>(starts[s] + r));
            }
        }
        const Matrix out = Matrix::poisoned(starts.back(), width);
        const Integers query_starts(starts);
        const Integers lengths(ends);
        const Integers tables(table_);
        backend.paged_attention(
            out.heads(heads_.query), q.heads(heads_.query), cache, 1,
            {.query_starts = query_starts.in(),
             .context_lengths = lengths.in(),
             .block_tables = tables.table(static_cast<std::int64_t>(contexts_.size())),
             .query_rows_max = *std::max_element(rows.begin(), rows.end()),
             .context_tokens_max = *std::max_element(ends.begin(), ends.end())},
            options);
        return out;
    }

private:
    [[nodiscard]] std::int32_t slot(std::size_t s, std::int32_t t) const {
        const std::int64_t block = table_[s * static_cast<std::size_t>(width_) +
                                          static_cast<std::size_t>(t / block_tokens_)];
        return static_cast<std::int32_t>(block * block_tokens_ + t % block_tokens_);
    }

    Heads heads_;
    std::int64_t block_tokens_;
    std::vector<std::int32_t> contexts_;
    std::int64_t width_ = 0;
    std::int64_t blocks_ = 0;
    std::vector<std::int32_t> table_;
    std::vector<Matrix> keys_;
    std::vector<Matrix> values_;
    std::vector<Matrix> queries_;
};

class AttentionConformance : public OnEveryPath {
protected:
    // Every kind of option in turn.
    std::vector<AttentionOptions> options(const Matrix& slopes, float scale) {
        return {{.scale = scale},
                {.scale = scale, .sliding_window = 20},
                {.scale = scale, .logit_softcap = 2.0F},
                {.scale = scale, .alibi_slopes = slopes.vector()},
                {.scale = scale,
                 .sliding_window = 7,
                 .logit_softcap = 5.0F,
                 .alibi_slopes = slopes.vector()}};
    }
};

// Of a real model's size: the fp32 error of a score grows with slope times distance.
Matrix random_slopes(Seeded& seeded, std::int64_t heads) {
    const Matrix slopes = Matrix::random(seeded, 1, heads);
    for (std::int64_t h = 0; h < heads; ++h) {
        float& slope = slopes.view().row<float>(0)[h];
        slope = 0.1F * std::abs(slope);
    }
    return slopes;
}

constexpr Heads kHeads[] = {{4, 4, 64}, {8, 2, 32}, {6, 1, 80}, {3, 3, 20}, {16, 2, 128}};

TEST_P(AttentionConformance, PagedMixedBatches) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend();
    const auto exact = reference();
    for (const Heads& heads : kHeads) {
        const std::int64_t block_tokens = std::int64_t{16} << seeded_.between(0, 2);
        const PagedCase paged(seeded_, heads, block_tokens, {1, 70, 33, 75, 16});
        const Matrix slopes = random_slopes(seeded_, heads.query);
        // A fresh sequence, a decode, a chunk in the middle, a whole prompt, one without rows.
        const std::vector<std::int32_t> rows{1, 1, 20, 75, 0};
        const std::vector<std::int32_t> ends{1, 70, 30, 75, 16};
        for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
            const auto cache = paged.fill(*tested, dtype);
            const auto exact_cache = paged.fill(*exact, dtype);
            for (const AttentionOptions& option :
                 options(slopes, 1.0F / std::sqrt(static_cast<float>(heads.dim)))) {
                // How a cache is stored and what is done with scores are apart.
                if (dtype != DType::kF32 && option.logit_softcap == 0.0F) continue;
                const Matrix got = paged.attend(*tested, *cache, rows, ends, option);
                const Matrix want = paged.attend(*exact, *exact_cache, rows, ends, option);
                expect_close(got, want, 1e-5F, 3e-6F);
            }
        }
    }
}

TEST_P(AttentionConformance, ChunksAndBatchesChangeNothing) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend(3);
    const auto alone = backend(1);
    const Heads heads{8, 2, 64};
    const PagedCase paged(seeded_, heads, 16, {90, 90});
    const Matrix slopes = random_slopes(seeded_, heads.query);
    const auto cache = paged.fill(*tested, DType::kF32);
    for (const AttentionOptions& option : options(slopes, 0.125F)) {
        const Matrix whole = paged.attend(*tested, *cache, {90, 1}, {90, 45}, option);
        for (std::int32_t end = 0; end < 90;) {
            const auto count = static_cast<std::int32_t>(seeded_.between(1, 90 - end));
            end += count;
            const Matrix part = paged.attend(*alone, *cache, {count, 0}, {end, 0}, option);
            for (std::int32_t r = 0; r < count; ++r) {
                for (std::int64_t c = 0; c < heads.query * heads.dim; ++c) {
                    ASSERT_EQ(part.at(r, c), whole.at(end - count + r, c));
                }
            }
        }
    }
}

TEST_P(AttentionConformance, CopiedBlocksHoldTheSame) {
    const auto tested = backend();
    auto cache =
        std::move(tested->make_kv_cache({.layers = 2, .blocks = 4, .kv_heads = 2, .head_dim = 32}))
            .value();
    const Matrix k = Matrix::random(seeded_, 16, 64);
    const Matrix v = Matrix::random(seeded_, 16, 64);
    std::vector<std::int32_t> slots(16);
    std::iota(slots.begin(), slots.end(), 16);
    slots[3] = -1;  // skipped
    for (const std::int64_t layer : {0, 1}) {
        tested->write_kv(*cache, layer, k.heads(2), v.heads(2), Integers(slots).in());
    }
    const Backend::BlockCopy copies[] = {{1, 3}, {3, 0}};
    tested->copy_blocks(*cache, copies);
    const Matrix q = Matrix::random(seeded_, 1, 64);
    const auto attend = [&](std::int32_t block) {
        const Matrix out = Matrix::poisoned(1, 64);
        const Integers starts({0, 1});
        const Integers lengths({16});
        const Integers table({block});
        tested->paged_attention(out.heads(2), q.heads(2), *cache, 1,
                                {starts.in(), lengths.in(), table.table(1), 1, 16}, {});
        return out;
    };
    expect_same(attend(3), attend(1));
    expect_same(attend(0), attend(1));
}

TEST_P(AttentionConformance, EncoderSequences) {
    SCOPED_TRACE(seeded_.trace());
    const auto tested = backend();
    const auto exact = reference();
    for (const Heads& heads : kHeads) {
        const std::vector<std::int32_t> bounds{0, 1, 18, 18, 50, 127};
        const Integers starts(bounds);
        const std::int64_t rows = bounds.back();
        const Matrix q = Matrix::random(seeded_, rows, heads.query * heads.dim);
        const Matrix k = Matrix::random(seeded_, rows, heads.kv * heads.dim);
        const Matrix v = Matrix::random(seeded_, rows, heads.kv * heads.dim);
        const Matrix slopes = random_slopes(seeded_, heads.query);
        for (const AttentionOptions& option :
             options(slopes, 1.0F / std::sqrt(static_cast<float>(heads.dim)))) {
            const Matrix got = Matrix::poisoned(rows, heads.query * heads.dim);
            const Matrix want = Matrix::poisoned(rows, heads.query * heads.dim);
            tested->encoder_attention(got.heads(heads.query), q.heads(heads.query),
                                      k.heads(heads.kv), v.heads(heads.kv), starts.in(), 77,
                                      option);
            exact->encoder_attention(want.heads(heads.query), q.heads(heads.query),
                                     k.heads(heads.kv), v.heads(heads.kv), starts.in(), 77, option);
            expect_close(got, want, 1e-5F, 3e-6F);
        }
    }
}

HEDDLE_ON_EVERY_PATH(AttentionConformance);

TEST(MakeKvCache, RefusesShapesOutOfRange) {
    for (const auto& backend : {reference(), on(cpu::IsaLevel::kBest)}) {
        const KvCacheShape good{.layers = 1, .blocks = 2, .kv_heads = 1, .head_dim = 8};
        EXPECT_TRUE(backend->make_kv_cache(good));
        const auto refused = [&](auto change) {
            KvCacheShape shape = good;
            change(shape);
            return !backend->make_kv_cache(shape);
        };
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.block_tokens = 24; }));
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.block_tokens = 8; }));
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.blocks = 0; }));
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.layers = -1; }));
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.dtype = DType::kQ8_0; }));
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.blocks = INT64_C(1) << 31; }));
        EXPECT_TRUE(refused([](KvCacheShape& s) { s.layers = s.head_dim = INT32_MAX; }));
    }
}

}  // namespace
}  // namespace heddle::compute::testing
