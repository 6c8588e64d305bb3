// The words of a text that carry meaning, in a form in which "Deadlines" and "deadline" meet:
// folded to lower case, stop words left out, light English suffixes removed (Harman's S-stemmer
// and -ing/-ed); Chinese, Japanese and Korean as character bigrams. For ranking sentences and
// checking citations, not for the keyword index, which has its own tokeniser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle::service {

// In order of appearance, repeated words repeated. Pure; any thread.
[[nodiscard]] std::vector<std::string> content_words(std::string_view text);

}  // namespace heddle::service
