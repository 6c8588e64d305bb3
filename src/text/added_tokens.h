// Tokens that are found in a text before the model sees it: special ones such as <|im_end|>, and
// others that were added to a finished vocabulary. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/byte_trie.h"
#include "text/normalizer.h"
#include "text/vocabulary.h"
#include "text/working_text.h"

namespace heddle::text {

struct AddedToken {
    TokenId id = 0;
    std::string content;
    bool special = false;
    bool single_word = false;  // only where no word character touches it
    bool left_strip = false;   // takes the spaces before it along
    bool right_strip = false;
    bool normalized = false;  // looked for after the normalizer, which is run on it too
};

// Finds the added tokens of a text, leftmost and longest first.
class AddedTokens {
public:
    // A part of a text: one added token, or with id -1 what lies between them.
    struct Part {
        TokenId id = -1;
        ByteRange range;
    };

    AddedTokens() = default;
    // `normalizer` may be null.
    AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer);

    // Parts of `text` around tokens that are looked for in the text as it was written…
    [[nodiscard]] std::vector<Part> split_written(std::string_view text, bool special) const {
        return split(text, written_, special);
    }
    // … and in the normalized one. With `special` unset, special tokens are ordinary text.
    [[nodiscard]] std::vector<Part> split_normalized(std::string_view text, bool special) const {
        return split(text, normalized_, special);
    }

    [[nodiscard]] bool is_special(TokenId id) const;
    [[nodiscard]] const AddedToken* find(TokenId id) const;
    // What the token decodes to: as `tokenizers` has it, its normalized form. Empty for no token.
    [[nodiscard]] std::string_view decoded(TokenId id) const;
    [[nodiscard]] const std::vector<AddedToken>& all() const { return tokens_; }

private:
    [[nodiscard]] std::vector<Part> split(std::string_view text, const ByteTrie& trie,
                                          bool special) const;

    std::vector<AddedToken> tokens_;
    std::vector<std::string> forms_;  // of each, as it is looked for
    std::unordered_map<TokenId, std::size_t> by_id_;
    ByteTrie written_;
    ByteTrie normalized_;
};

}  // namespace heddle::text
