// Putting ranked lists together, and picking from the result what is both good and different.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace heddle::search {

struct RankedList {
    std::vector<std::int64_t> chunks;  // best first
    double weight = 1;
};

struct FusedHit {
    std::int64_t chunk = 0;
    double score = 0;
};

// Reciprocal rank fusion: Σ weight / (k + rank), ranks from 1; best first, ties by chunk.
[[nodiscard]] std::vector<FusedHit> fuse(std::span<const RankedList> lists, double k);

// Maximal marginal relevance: positions of up to `count` items in the order picked. Each pick is
// the item with the largest λ · relevance − (1 − λ) · its greatest similarity to those picked.
// Relevances are scaled so that the largest is 1; similarity(a, b) is at most 1.
[[nodiscard]] std::vector<std::size_t> diversify(
    std::span<const double> relevance, std::size_t count, double lambda,
    const std::function<float(std::size_t, std::size_t)>& similarity);

}  // namespace heddle::search
