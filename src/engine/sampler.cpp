#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heddle::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// SplitMix64 as a counter-based generator: a bijection of (seed, place).
std::uint64_t scramble(std::uint64_t seed, std::uint64_t place) {
    std::uint64_t x = seed + (place + 1) * 0x9e3779b97f4a7c15;
    for (int round = 0; round < 2; ++round) {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        x ^= x >> 31;
    }
    return x;
}

// Likelier first; of equals the lower id, so that order never depends on chance.
struct Likelier {
    template <class T>
    bool operator()(const T& a, const T& b) const {
        return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
    }
};

// log(sum(exp(row))).
double log_sum(std::span<const float> row, float highest) {
    double sum = 0;
    for (const float logit : row) sum += std::exp(static_cast<double>(logit) - highest);
    return std::log(sum) + highest;
}

std::vector<TokenLogprob> likeliest(std::span<const float> row, std::size_t count,
                                    double normaliser) {
    struct Entry {
        float logit;
        TokenId token;
    };
    std::vector<Entry> best;
    for (std::size_t i = 0; i < row.size() && count > 0; ++i) {
        const Entry entry{row[i], static_cast<TokenId>(i)};
        if (best.size() == count && !Likelier{}(entry, best.back())) continue;
        best.insert(std::ranges::upper_bound(best, entry, Likelier{}), entry);
        if (best.size() > count) best.pop_back();
    }
    std::vector<TokenLogprob> top;
    for (const Entry& entry : best) {
        top.push_back({entry.token, static_cast<float>(entry.logit - normaliser)});
    }
    return top;
}

}  // namespace

SamplerState::SamplerState(SamplingParams params, std::uint64_t seed,
                           std::span<const TokenId> prompt, std::vector<TokenId> end_ids)
    : params_(std::move(params)), seed_(seed), end_ids_(std::move(end_ids)) {
    if (params_.repetition_penalty != 1) prompt_.insert(prompt.begin(), prompt.end());
}

void SamplerState::append(TokenId token) {
    ++generated_;
    ++answer_[token];
}

double SamplerState::chance_at(std::size_t place) const {
    return static_cast<double>(scramble(seed_, place) >> 11) * 0x1.0p-53;
}

void SamplerState::adjust(std::span<float> logits) const {
    const auto repeated = [&](TokenId token) {
        float& logit = logits[static_cast<std::size_t>(token)];
        logit = logit > 0 ? logit / params_.repetition_penalty : logit * params_.repetition_penalty;
    };
    if (params_.repetition_penalty != 1) {
        for (const TokenId token : prompt_) repeated(token);
        for (const auto& [token, count] : answer_) {
            if (!prompt_.contains(token)) repeated(token);
        }
    }
    if (params_.presence_penalty != 0 || params_.frequency_penalty != 0) {
        for (const auto& [token, count] : answer_) {
            logits[static_cast<std::size_t>(token)] -=
                params_.presence_penalty + params_.frequency_penalty * static_cast<float>(count);
        }
    }
    for (const auto& [token, bias] : params_.logit_bias) {
        logits[static_cast<std::size_t>(token)] += bias;
    }
    if (generated_ < params_.tokens_min) {
        for (const TokenId token : end_ids_) logits[static_cast<std::size_t>(token)] = kNever;
    }
}

void Sampler::collect(std::span<const float> logits, float temperature) {
    candidates_.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] == kNever) continue;
        candidates_.push_back({logits[i] / temperature, static_cast<TokenId>(i), 0});
    }
}

void Sampler::normalise() {
    float highest = kNever;
    for (const Candidate& candidate : candidates_) highest = std::max(highest, candidate.logit);
    double sum = 0;
    for (Candidate& candidate : candidates_) {
        candidate.probability = std::exp(static_cast<double>(candidate.logit) - highest);
        sum += candidate.probability;
    }
    for (Candidate& candidate : candidates_) candidate.probability /= sum;
}

void Sampler::keep_top_k(std::size_t count) {
    if (count >= candidates_.size()) return;
    const auto cut = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(candidates_.begin(), cut, candidates_.end(), Likelier{});
    candidates_.erase(cut, candidates_.end());
}

// The tokens whose surprise is nearest to the distribution's entropy, up to `mass`.
void Sampler::keep_typical(double mass) {
    normalise();
    double entropy = 0;
    for (const Candidate& c : candidates_) {
        if (c.probability > 0) entropy -= c.probability * std::log(c.probability);
    }
    const auto oddness = [entropy](const Candidate& c) {
        return std::abs(-std::log(std::max(c.probability, 1e-300)) - entropy);
    };
    std::ranges::sort(candidates_, {},
                      [&](const Candidate& c) { return std::pair(oddness(c), c.token); });
    double sum = 0;
    std::size_t kept = 0;
    while (kept < candidates_.size() && (kept == 0 || sum < mass)) {
        sum += candidates_[kept++].probability;
    }
    candidates_.resize(kept);
}

// The fewest likeliest tokens that reach `mass`. A heap gives them in order without sorting the
// vocabulary.
void Sampler::keep_top_p(double mass) {
    normalise();
    const auto later = [](const Candidate& a, const Candidate& b) { return Likelier{}(b, a); };
    std::ranges::make_heap(candidates_, later);
    double sum = 0;
    auto end = candidates_.end();
    while (end != candidates_.begin() && (end == candidates_.end() || sum < mass)) {
        std::ranges::pop_heap(candidates_.begin(), end, later);
        --end;
        sum += end->probability;
    }
    candidates_.erase(candidates_.begin(), end);
}

void Sampler::keep_min_p(double ratio) {
    normalise();
    double highest = 0;
    for (const Candidate& c : candidates_) highest = std::max(highest, c.probability);
    std::erase_if(candidates_, [&](const Candidate& c) { return c.probability < ratio * highest; });
}

TokenId Sampler::draw(double chance) const {
    double sum = 0;
    for (const Candidate& candidate : candidates_) {
        sum += candidate.probability;
        if (chance < sum) return candidate.token;
    }
    return candidates_.back().token;
}

Result<Sample> Sampler::sample(std::span<float> logits, const SamplerState& state,
                               const grammar::TokenMask* mask) {
    const SamplingParams& params = state.params();
    double normaliser = 0;
    Sample sample;
    std::vector<float> own;
    if (params.logprobs) {
        own.assign(logits.begin(), logits.end());
        normaliser = log_sum(own, *std::ranges::max_element(own));
        sample.top = likeliest(own, static_cast<std::size_t>(params.top_logprobs), normaliser);
    }
    state.adjust(logits);
    if (mask != nullptr) {
        for (std::size_t i = 0; i < logits.size(); ++i) {
            if (!mask->test(i)) logits[i] = kNever;
        }
    }
    bool any = false;
    for (float& logit : logits) {
        if (!std::isfinite(logit)) logit = kNever;
        any = any || logit != kNever;
    }
    if (!any) return fail(ErrorCode::kInternal, "no token can follow");

    if (params.temperature == 0) {
        const auto best = std::ranges::max_element(logits);
        sample.token = static_cast<TokenId>(best - logits.begin());
    } else {
        collect(logits, params.temperature);
        if (params.top_k > 0) keep_top_k(static_cast<std::size_t>(params.top_k));
        if (params.typical_p < 1) keep_typical(params.typical_p);
        if (params.top_p < 1) keep_top_p(params.top_p);
        if (params.min_p > 0) keep_min_p(params.min_p);
        normalise();
        // In the order of ids: the same set gives the same choice, however it was found. Only
        // these cuts disturb the order, and the whole vocabulary is long to sort.
        if (params.top_k > 0 || params.typical_p < 1 || params.top_p < 1)
            std::ranges::sort(candidates_, {}, &Candidate::token);
        sample.token = draw(state.chance());
    }
    if (params.logprobs) {
        sample.logprob =
            static_cast<float>(own[static_cast<std::size_t>(sample.token)] - normaliser);
    }
    return sample;
}

}  // namespace heddle::engine
