#include "search/fusion.h"

#include <algorithm>
#include <limits>
#include <map>

namespace heddle::search {

std::vector<FusedHit> fuse(std::span<const RankedList> lists, double k) {
    std::map<std::int64_t, double> scores;
    for (const RankedList& list : lists) {
        for (std::size_t i = 0; i < list.chunks.size(); ++i) {
            scores[list.chunks[i]] += list.weight / (k + static_cast<double>(i + 1));
        }
    }
    std::vector<FusedHit> hits;
    for (const auto& [chunk, score] : scores) hits.push_back({.chunk = chunk, .score = score});
    std::ranges::stable_sort(hits, std::greater<>(), &FusedHit::score);
    return hits;
}

std::vector<std::size_t> diversify(
    std::span<const double> relevance, std::size_t count, double lambda,
    const std::function<float(std::size_t, std::size_t)>& similarity) {
    if (relevance.empty()) return {};
    const double largest = std::max(*std::ranges::max_element(relevance), 1e-12);
    std::vector<std::size_t> picked;
    std::vector<bool> taken(relevance.size(), false);
    std::vector<float> nearest(relevance.size(), 0);
    while (picked.size() < std::min(count, relevance.size())) {
        std::size_t best = relevance.size();
        double best_value = -std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < relevance.size(); ++i) {
            const double value =
                lambda * relevance[i] / largest - (1 - lambda) * static_cast<double>(nearest[i]);
            if (taken[i] || value <= best_value) continue;
            best = i;
            best_value = value;
        }
        taken[best] = true;
        picked.push_back(best);
        for (std::size_t i = 0; i < relevance.size(); ++i) {
            if (!taken[i]) nearest[i] = std::max(nearest[i], similarity(best, i));
        }
    }
    return picked;
}

}  // namespace heddle::search
