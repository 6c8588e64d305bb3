// WordPiece (Schuster and Nakajima, 2012; as BERT uses it): the longest piece that fits, from the
// left; a word that cannot be covered is unknown as a whole.
#pragma once

#include <cstddef>
#include <string>

#include "text/tokenizer_model.h"
#include "text/vocabulary.h"

namespace heddle::text {

struct WordPieceOptions {
    TokenId unknown = 0;
    std::string continuing_prefix = "##";
    std::size_t characters_max = 100;  // a longer word is unknown
};

class WordPiece final : public TokenizerModel {
public:
    // `pieces` is built.
    WordPiece(Vocabulary pieces, const WordPieceOptions& options);

    void tokenize(std::string_view word, std::uint32_t offset,
                  std::vector<Token>& out) const override;

private:
    const Vocabulary initial_;
    Vocabulary continuing_;  // the pieces that go on inside a word, without their prefix
    TokenId unknown_;
    std::size_t characters_max_;
};

}  // namespace heddle::text
