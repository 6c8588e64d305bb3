#include "service/sentence_ranker.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "service/content_words.h"
#include "text/sentences.h"

namespace heddle::service {
namespace {

constexpr std::size_t kSentenceBytesMax = 1000;

struct Candidate {
    RankedSentence ranked;
    std::unordered_set<std::string> words;
    std::size_t word_count = 0;
};

std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!space) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::optional<std::uint32_t> page_at(const GroundedText& text, std::size_t offset) {
    std::optional<std::uint32_t> page = text.source.page;
    for (const auto& [begin, number] : text.page_starts) {
        if (begin > offset) break;
        page = number;
    }
    return page;
}

// Headings and list markers of Markdown are no part of what is quoted.
std::string_view without_marks(std::string_view sentence) {
    const std::size_t begin = sentence.find_first_not_of("#>*- \n\t|");
    return begin == std::string_view::npos ? std::string_view() : sentence.substr(begin);
}

std::vector<Candidate> candidates_of(const std::vector<GroundedText>& texts) {
    std::vector<Candidate> all;
    for (std::size_t t = 0; t < texts.size(); ++t) {
        if (texts[t].source.n == 0) continue;
        for (const text::ByteRange& range : text::split_sentences(texts[t].text)) {
            if (all.size() >= kSentencesRead) return all;
            const std::string_view sentence = without_marks(
                std::string_view(texts[t].text).substr(range.begin, range.end - range.begin));
            if (sentence.empty() || sentence.size() > kSentenceBytesMax) continue;
            Candidate candidate;
            std::vector<std::string> words = content_words(sentence);
            candidate.word_count = words.size();
            candidate.words.insert(std::make_move_iterator(words.begin()),
                                   std::make_move_iterator(words.end()));
            if (candidate.words.empty()) continue;
            candidate.ranked = {
                t,   range.begin, range.end, one_line(sentence), page_at(texts[t], range.begin),
                0.0, false};
            all.push_back(std::move(candidate));
        }
    }
    return all;
}

// A fragment of two words says little; past forty the words were met by chance.
double length_factor(std::size_t words) {
    if (words < 4) return 0.55 + 0.1 * static_cast<double>(words);
    if (words > 40) return 0.85;
    return 1.0;
}

// `weight` of each word asked for, `total` their sum.
void weigh(Candidate& candidate, const std::unordered_map<std::string_view, double>& weight,
           double total) {
    double covered = 0;
    std::size_t shared = 0;
    for (const auto& [word, share] : weight) {
        if (!candidate.words.contains(std::string(word))) continue;
        covered += share;
        ++shared;
    }
    RankedSentence& ranked = candidate.ranked;
    ranked.only_repeats = shared == candidate.words.size();
    ranked.score = total > 0 ? covered / total * length_factor(candidate.word_count) : 0.0;
    if (ranked.only_repeats) ranked.score *= kRepeatFactor;
}

}  // namespace

std::vector<RankedSentence> rank_sentences(std::string_view question,
                                           const std::vector<GroundedText>& texts,
                                           std::size_t most) {
    std::vector<std::string> asked = content_words(question);
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    std::vector<Candidate> all = candidates_of(texts);

    std::unordered_map<std::string_view, double> weight;
    double total = 0;
    for (const std::string& word : asked) {
        const auto holds = std::count_if(
            all.begin(), all.end(), [&](const Candidate& c) { return c.words.contains(word); });
        // A word that nobody uses ("say", "compare") is often about the answer's form: it counts
        // like a rare one, not more.
        const double seen = std::max(1.0, static_cast<double>(holds)) + 0.5;
        weight[word] = std::log1p(static_cast<double>(all.size() + 1) / seen);
        total += weight[word];
    }
    for (Candidate& candidate : all) weigh(candidate, weight, total);
    std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
        return a.ranked.score > b.ranked.score;
    });
    std::vector<RankedSentence> best;
    for (Candidate& candidate : all) {
        if (best.size() == most) break;
        best.push_back(std::move(candidate.ranked));
    }
    return best;
}

}  // namespace heddle::service
