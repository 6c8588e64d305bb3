// Text out of token ids while they come. One stream, one thread.
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace heddle::text {

// What push() and finish() return adds up to the text of all ids (special tokens left out), and
// every part of it is whole characters: bytes that may still become one are held back.
class StreamDecoder {
public:
    // With `continues_text` the ids go on with a text instead of beginning one, so that a space
    // which the first of them carries is kept.
    explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool continues_text = false);

    // Often empty, for ids that end inside a character and for special ones.
    [[nodiscard]] std::string push(TokenId id);
    // What was held back, as U+FFFD where no character came of it. Then the stream is as new.
    [[nodiscard]] std::string finish();

private:
    std::shared_ptr<const Tokenizer> tokenizer_;
    const bool continues_text_;
    bool first_;
    std::string pending_;  // less than a character
};

}  // namespace heddle::text
