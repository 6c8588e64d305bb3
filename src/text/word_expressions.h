// How byte-level BPE models cut text into words, by the names that GGUF files use (`pre`).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace heddle::text {

struct WordExpressions {
    // Each cuts the words that the one before it left.
    std::vector<std::string_view> expressions;
    bool ignore_merges = false;
    bool add_bos = false;  // where the file does not say
};

// Nothing for a name that is not known.
[[nodiscard]] std::optional<WordExpressions> find_word_expressions(std::string_view pre);

}  // namespace heddle::text
