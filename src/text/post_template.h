// What special tokens a tokenizer puts around one text or a pair of them.
#pragma once

#include <cstdint>
#include <vector>

#include "text/vocabulary.h"

namespace heddle::text {

struct PostTemplate {
    enum class Source : std::uint8_t { kSpecial, kFirst, kSecond };

    struct Step {
        Source source = Source::kFirst;
        std::vector<TokenId> special;  // of kSpecial
        std::uint8_t type_id = 0;      // BERT's segment number
    };

    std::vector<Step> single = {{.source = Source::kFirst}};
    std::vector<Step> pair = {{.source = Source::kFirst}, {.source = Source::kSecond}};
};

}  // namespace heddle::text
