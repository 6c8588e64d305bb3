// Which sentences of the gathered texts speak about the question. Used for the snippet and page of
// a source, and as what the extractive generator quotes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/source.h"

namespace heddle::service {

struct RankedSentence {
    std::size_t text = 0;   // index into the texts
    std::size_t begin = 0;  // byte range in that text
    std::size_t end = 0;
    std::string sentence;  // white space runs as one space
    std::optional<std::uint32_t> page;
    // Share of the question's content words that it holds, each weighted by its rarity among all
    // sentences (0 to 1), a little less for fragments and for sentences that never end, and much
    // less for one that only repeats words of the question.
    double score = 0.0;
    // A heading, or the question itself: all its words are the question's, so it answers nothing.
    bool only_repeats = false;
};

// What such a sentence keeps of its score.
inline constexpr double kRepeatFactor = 0.3;

// Best first; at most `most`, at most kSentencesRead sentences are looked at. Pure; any thread.
[[nodiscard]] std::vector<RankedSentence> rank_sentences(std::string_view question,
                                                         const std::vector<GroundedText>& texts,
                                                         std::size_t most);

inline constexpr std::size_t kSentencesRead = 4000;

}  // namespace heddle::service
