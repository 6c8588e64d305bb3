// Unigram language model (Kudo, 2018): of all ways to cut a word into pieces the one whose scores
// (log probabilities) add up highest, by the Viterbi algorithm.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "text/byte_trie.h"
#include "text/tokenizer_model.h"
#include "text/vocabulary.h"

namespace heddle::text {

struct UnigramOptions {
    std::optional<TokenId> unknown;  // without it unknown characters are dropped
    bool byte_fallback = false;      // unknown characters become <0x..> pieces of their bytes
};

class Unigram final : public TokenizerModel {
public:
    // `pieces` is built; `scores` has one, not NaN, for each.
    Unigram(Vocabulary pieces, std::vector<double> scores, const UnigramOptions& options);

    void tokenize(std::string_view word, std::uint32_t offset,
                  std::vector<Token>& out) const override;

private:
    struct Node;

    void find_best_path(std::string_view word, std::vector<Node>& ends) const;
    void add_unknown(std::string_view bytes, std::uint32_t offset, std::vector<Token>& out) const;

    const Vocabulary pieces_;
    const std::vector<double> scores_;
    const UnigramOptions options_;
    ByteTrie trie_;
    double unknown_score_ = 0;
    std::array<TokenId, 256> fallback_{};
};

}  // namespace heddle::text
