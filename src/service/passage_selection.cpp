#include "service/passage_selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "service/content_words.h"
#include "text/utf8.h"

namespace heddle::service {
namespace {

constexpr std::size_t kParagraphBytesMax = 1200;

// Blank lines separate paragraphs; a longer one is cut at a space.
std::vector<std::string_view> paragraphs_of(std::string_view text) {
    std::vector<std::string_view> out;
    std::size_t begin = 0;
    while (begin < text.size()) {
        std::size_t end = text.find("\n\n", begin);
        if (end == std::string_view::npos) end = text.size();
        if (end - begin > kParagraphBytesMax) {
            const std::size_t space = text.rfind(' ', begin + kParagraphBytesMax);
            end = space != std::string_view::npos && space > begin
                      ? space
                      : text::floor_utf8(text, begin + kParagraphBytesMax);
        }
        const std::string_view paragraph = text.substr(begin, end - begin);
        if (paragraph.find_first_not_of(" \n\t\r") != std::string_view::npos)
            out.push_back(paragraph);
        begin = text.find_first_not_of(" \n", end);
        if (begin == std::string_view::npos) break;
    }
    return out;
}

// Share of the question's words, weighted by how rare they are among the paragraphs.
std::vector<double> scores_of(const std::vector<std::string_view>& paragraphs,
                              std::string_view question) {
    const std::vector<std::string> asked = content_words(question);
    std::vector<std::unordered_set<std::string>> words;
    std::unordered_map<std::string, double> seen_in;
    for (const std::string_view paragraph : paragraphs) {
        const std::vector<std::string> found = content_words(paragraph);
        words.emplace_back(found.begin(), found.end());
        for (const std::string& word : words.back()) ++seen_in[word];
    }
    std::vector<double> scores(paragraphs.size(), 0.0);
    for (std::size_t i = 0; i < paragraphs.size(); ++i) {
        for (const std::string& word : asked) {
            if (!words[i].contains(word)) continue;
            scores[i] += std::log1p(static_cast<double>(paragraphs.size()) / seen_in[word]);
        }
        // The opening says what a text is about.
        scores[i] += i == 0 ? 0.5 : 0.1 / static_cast<double>(i + 1);
    }
    return scores;
}

}  // namespace

std::string select_passages(std::string_view text, std::string_view question,
                            std::uint32_t tokens_max,
                            const std::function<std::uint32_t(std::string_view)>& count_tokens) {
    constexpr std::string_view kGap = "[…]\n\n";
    const std::vector<std::string_view> paragraphs = paragraphs_of(text);
    const std::vector<double> scores = scores_of(paragraphs, question);
    std::vector<std::size_t> order(paragraphs.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });

    const std::uint32_t gap_tokens = count_tokens(kGap);
    std::vector<bool> kept(paragraphs.size(), false);
    std::uint32_t used = gap_tokens;
    for (const std::size_t i : order) {
        const std::uint32_t cost = count_tokens(paragraphs[i]) + gap_tokens + 2;
        if (used + cost > tokens_max) continue;
        used += cost;
        kept[i] = true;
    }
    std::string out;
    bool gap = false;
    for (std::size_t i = 0; i < paragraphs.size(); ++i) {
        if (!kept[i]) {
            gap = true;
            continue;
        }
        if (gap) out += kGap;
        gap = false;
        out.append(paragraphs[i]).append("\n\n");
    }
    if (gap && !out.empty()) out += "[…]";
    return out;
}

}  // namespace heddle::service
