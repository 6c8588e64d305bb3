// What a Tokenizer is made of. Only loaders and tokenizer.cpp know it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/post_template.h"
#include "text/pretokenizer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_model.h"
#include "text/vocabulary.h"

namespace heddle::text {

// The stages of encode() in order; null ones are passed over. The model may point into `pieces`,
// hence neither is moved on its own.
struct TokenizerParts {
    Vocabulary pieces;  // as the file writes them, added tokens too
    NormalizerPtr normalizer;
    AddedTokens added;
    PreTokenizerPtr pretokenizer;
    TokenizerModelPtr model;
    PostTemplate post;
    DecoderPtr decoder;  // without one, pieces are joined by spaces
    SpecialIds special;
};

}  // namespace heddle::text
