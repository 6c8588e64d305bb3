// Text as the keyword index sees it. Words are found by their white space and punctuation; where
// a script writes without spaces (Han, kana) or glues particles to words (Hangul), every two
// neighbouring characters are a word. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::search {

// Rises when keyword_text changes: indexes of another version are built anew.
inline constexpr int kKeywordVersion = 1;

// What is put into the index for a text.
[[nodiscard]] std::string keyword_text(std::string_view text);

// The words of a question, lower case, each once, without the commonest English ones (unless
// there are no others), at most `terms_max`. `prefix` marks a single character of a script
// without spaces, which matches the words that start with it.
struct QueryTerm {
    std::string text;
    bool prefix = false;
    bool operator==(const QueryTerm&) const = default;
};
[[nodiscard]] std::vector<QueryTerm> query_terms(std::string_view question,
                                                 std::size_t terms_max = 64);

}  // namespace heddle::search
