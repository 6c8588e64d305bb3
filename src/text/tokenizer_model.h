// The part of a tokenizer that turns one word into ids: WordPiece, BPE or Unigram.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"
#include "text/working_text.h"

namespace heddle::text {

// One id and the bytes of the pre-tokenized text that it stands for.
struct Token {
    TokenId id = 0;
    ByteRange range;
};

// Immutable to its callers; any thread.
class TokenizerModel {
public:
    virtual ~TokenizerModel() = default;
    // Appends the tokens of `word`, which stands at `offset` of its text and is not empty.
    virtual void tokenize(std::string_view word, std::uint32_t offset,
                          std::vector<Token>& out) const = 0;
};

using TokenizerModelPtr = std::unique_ptr<const TokenizerModel>;

}  // namespace heddle::text
