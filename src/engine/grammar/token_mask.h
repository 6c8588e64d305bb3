// One bit for each token of a vocabulary: may it come next?
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace heddle::engine::grammar {

class TokenMask {
public:
    TokenMask() = default;
    explicit TokenMask(std::size_t tokens) : words_((tokens + 63) / 64, 0) {}

    void set(std::size_t token) { words_[token / 64] |= std::uint64_t{1} << (token % 64); }
    void reset(std::size_t token) { words_[token / 64] &= ~(std::uint64_t{1} << (token % 64)); }
    [[nodiscard]] bool test(std::size_t token) const {
        return token / 64 < words_.size() && (words_[token / 64] >> (token % 64) & 1) != 0;
    }
    void clear() { std::ranges::fill(words_, 0); }
    TokenMask& operator|=(const TokenMask& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
        return *this;
    }
    void subtract(const TokenMask& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    }
    bool operator==(const TokenMask&) const = default;

    [[nodiscard]] std::size_t count() const {
        std::size_t total = 0;
        for (const std::uint64_t word : words_) total += std::popcount(word);
        return total;
    }
    [[nodiscard]] bool empty() const {
        return std::ranges::all_of(words_, [](std::uint64_t word) { return word == 0; });
    }
    [[nodiscard]] std::size_t bytes() const { return words_.size() * sizeof(std::uint64_t); }
    [[nodiscard]] std::span<const std::uint64_t> words() const { return words_; }

private:
    std::vector<std::uint64_t> words_;
};

}  // namespace heddle::engine::grammar
