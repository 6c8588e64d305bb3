// Kernels against plain C++, the index against brute force, and searches while it changes.
#include "search/flat_index.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "base/random.h"
#include "search/dot.h"
#include "search/quantize.h"

namespace heddle::search {
namespace {

std::vector<float> random_unit(Rng& rng, std::size_t dimensions) {
    std::vector<float> out(dimensions);
    float norm = 0;
    for (float& x : out) {
        x = static_cast<float>(rng.uniform() + rng.uniform() + rng.uniform() - 1.5);
        norm += x * x;
    }
    for (float& x : out) x /= std::sqrt(norm);
    return out;
}

TEST(DotKernels, EachEqualsThePlainOne) {
    Rng rng(7);
    for (const std::size_t stride : {64U, 128U, 384U, 768U, 4096U}) {
        constexpr std::size_t kRows = 13;
        alignas(64) static std::int8_t query[4096];
        alignas(64) static std::int8_t rows[kRows * 4096];
        // The corners too: a whole row of the largest products.
        const auto code = [&](std::size_t at) {
            if (at < stride) return std::int8_t{127};
            if (at < 2 * stride) return std::int8_t{-127};
            return static_cast<std::int8_t>(static_cast<int>(rng.below(255)) - 127);
        };
        for (std::size_t i = 0; i < kRows * stride; ++i) rows[i] = code(i);
        for (const int kind : {0, 1, 2}) {
            for (std::size_t i = 0; i < stride; ++i) {
                query[i] = kind == 0   ? std::int8_t{127}
                           : kind == 1 ? std::int8_t{-127}
                                       : code(i * 7);
            }
            std::int32_t expected[kRows];
            plain_dot_kernels().scan(query, rows, kRows, stride, expected);
            for (const DotKernels* kernels : available_dot_kernels()) {
                std::int32_t got[kRows];
                kernels->scan(query, rows, kRows, stride, got);
                EXPECT_TRUE(std::ranges::equal(got, expected)) << kernels->name << " " << stride;
            }
        }
    }
}

TEST(DotKernels, FloatsAgreeWithinRounding) {
    Rng rng(8);
    for (std::size_t count = 0; count < 70; ++count) {
        const auto a = random_unit(rng, count);
        const auto b = random_unit(rng, count);
        double expected = 0;
        for (std::size_t i = 0; i < count; ++i) expected += double{a[i]} * double{b[i]};
        for (const DotKernels* kernels : available_dot_kernels()) {
            EXPECT_NEAR(kernels->dot(a.data(), b.data(), count), expected, 1e-6) << kernels->name;
        }
    }
}

TEST(Quantize, StaysWithinHalfAStepAndSurvivesNonsense) {
    Rng rng(9);
    const auto vector = random_unit(rng, 100);
    std::vector<std::int8_t> codes(code_stride(100), 99);
    const float scale = quantize(vector, codes.data());
    for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_NEAR(static_cast<float>(codes[i]) * scale, vector[i], scale / 2 + 1e-6F);
        EXPECT_GE(codes[i], -127);
    }
    for (std::size_t i = 100; i < codes.size(); ++i) EXPECT_EQ(codes[i], 0);
    const std::vector<float> nonsense{1, NAN, INFINITY};
    EXPECT_EQ(quantize(nonsense, codes.data()), 0);
    EXPECT_EQ(codes[0], 0);
}

// The index after many additions and deletions, against a plain map of what should be in it.
class Model {
public:
    explicit Model(std::uint64_t seed) : rng_(seed), index_(kDimensions) {}

    void step() {
        if (rng_.below(3) > 0 || vectors_.empty()) {
            for (std::uint64_t i = rng_.below(300); i > 0; --i) {
                const auto vector = random_unit(rng_, kDimensions);
                index_.add(next_chunk_, next_chunk_ / 10, vector);
                vectors_[next_chunk_++] = vector;
            }
        } else {
            std::vector<std::int64_t> gone;
            const std::uint64_t share = rng_.below(100);
            for (const auto& [chunk, vector] : vectors_) {
                if (rng_.below(100) < share) gone.push_back(chunk);
            }
            index_.remove(gone);
            for (const std::int64_t chunk : gone) vectors_.erase(chunk);
        }
        index_.publish(++version_);
    }
    void check() {
        const auto query = random_unit(rng_, kDimensions);
        const auto hits = index_.view()->nearest(query, 20, nullptr);
        ASSERT_EQ(hits.size(), std::min<std::size_t>(20, vectors_.size()));
        EXPECT_EQ(index_.view()->size(), vectors_.size());
        std::vector<float> exact;
        for (const auto& [chunk, vector] : vectors_) exact.push_back(cosine(query, vector));
        std::ranges::sort(exact, std::greater<>());
        for (std::size_t i = 0; i < hits.size(); ++i) {
            ASSERT_TRUE(vectors_.contains(hits[i].chunk));
            EXPECT_NEAR(hits[i].score, exact[i], 0.02);
        }
    }
    [[nodiscard]] static float cosine(const std::vector<float>& a, const std::vector<float>& b) {
        return plain_dot_kernels().dot(a.data(), b.data(), a.size());
    }

    static constexpr std::size_t kDimensions = 50;

private:
    Rng rng_;
    FlatIndex index_;
    std::map<std::int64_t, std::vector<float>> vectors_;
    std::int64_t next_chunk_ = 1;
    std::uint64_t version_ = 0;
};

TEST(FlatIndex, EqualsBruteForceThroughAdditionsAndDeletions) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Model model(seed);
        for (int i = 0; i < 60; ++i) {
            model.step();
            model.check();
        }
    }
}

TEST(FlatIndex, FiltersByDocument) {
    Rng rng(3);
    FlatIndex index(16);
    for (std::int64_t chunk = 1; chunk <= 3000; ++chunk) {
        index.add(chunk, chunk % 100, random_unit(rng, 16));
    }
    index.publish(1);
    const std::vector<std::int64_t> wanted{7, 42};
    const auto hits = index.view()->nearest(random_unit(rng, 16), 100, &wanted);
    EXPECT_EQ(hits.size(), 60u);
    for (const DenseHit& hit : hits) {
        EXPECT_TRUE(hit.chunk % 100 == 7 || hit.chunk % 100 == 42);
    }
}

// A document of ten chunks is replaced again and again; a search finds ten chunks of one version.
TEST(FlatIndex, AViewHoldsAllOfAChangeOrNothing) {
    Rng rng(4);
    const auto vector = random_unit(rng, 64);
    FlatIndex index(64);
    std::atomic<bool> over{false};
    std::thread writer([&] {
        std::vector<std::int64_t> old;
        for (std::int64_t version = 1; version <= 3000; ++version) {
            index.remove(old);
            old.clear();
            for (std::int64_t i = 0; i < 10; ++i) {
                old.push_back(version * 10 + i);
                index.add(old.back(), version, vector);
            }
            index.publish(static_cast<std::uint64_t>(version));
        }
        over = true;
    });
    while (!over) {
        const auto hits = index.view()->nearest(vector, 100, nullptr);
        ASSERT_TRUE(hits.empty() || hits.size() == 10);
        for (const DenseHit& hit : hits) ASSERT_EQ(hit.chunk / 10, hits[0].chunk / 10);
    }
    writer.join();
}

}  // namespace
}  // namespace heddle::search
