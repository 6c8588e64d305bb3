// The pieces that chunks are packed from, and cutting what is too long for one.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "ingest/chunker.h"

namespace heddle::ingest {

// Bytes [begin, end) of a text, without white space around them.
struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t tokens = 0;
};

// Cuts text[begin, end) into pieces of at most `tokens_max` tokens: between words, and inside a
// word only when that word alone is longer (by characters). Nothing is left out but white space.
[[nodiscard]] std::vector<Piece> split_at_words(std::string_view text, std::size_t begin,
                                                std::size_t end, std::size_t tokens_max,
                                                const CountTokens& count_tokens);

}  // namespace heddle::ingest
