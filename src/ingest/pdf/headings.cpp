#include "ingest/pdf/headings.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "ingest/pdf/words.h"

namespace heddle::ingest::pdf {
namespace {

constexpr float kLargerMin = 1.12F;     // than the body
constexpr float kSizeStep = 0.5F;       // points; sizes closer than this are one
constexpr std::size_t kBytesMax = 200;  // a longer row is set large, but no heading
constexpr std::uint32_t kLettersMin = 2;
constexpr std::uint32_t kBoldWordsMax = 14;
constexpr std::size_t kLevelsMax = 6;
constexpr std::size_t kNumberBytes = 16;  // "12.3.4 " in front of a title

float rounded(float size) {
    return std::round(size / kSizeStep) * kSizeStep;
}

// Letters and digits in lower case, so that numbering styles and spacing do not matter.
std::string letters_of(std::string_view title) {
    std::string key;
    for (const char c : title) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80)
            key += c;
        else if (std::isalnum(byte) != 0)
            key += static_cast<char>(std::tolower(byte));
    }
    return key;
}

// "3.2.1 Title" without its number; outlines often leave it out, or have it where the page has not.
std::string_view without_number(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[i])) != 0 || text[i] == '.'))
        ++i;
    if (i == 0 || i >= text.size() || text[i] != ' ') return text;
    return text.substr(i + 1);
}

}  // namespace

std::string text_of(const Row& row) {
    std::string text;
    for (const Fragment& cell : row.cells) {
        if (!text.empty()) text += ' ';
        text += cell.text;
    }
    return text;
}

Headings::Headings(const std::vector<PageRows>& pages, const std::vector<OutlineEntry>& outline) {
    for (const OutlineEntry& entry : outline) {
        std::vector<Title>& titles = outline_[entry.page];
        titles.push_back({letters_of(entry.title), entry.level});
        titles.push_back({letters_of(without_number(entry.title)), entry.level});
    }
    std::map<float, std::size_t> bytes_by_size;
    std::size_t bold_bytes = 0;
    std::size_t bytes = 0;
    for (const PageRows& page : pages) {
        for (const Row& row : page.rows) {
            std::size_t row_bytes = 0;
            for (const Fragment& cell : row.cells) row_bytes += cell.text.size();
            bytes_by_size[rounded(row.size)] += row_bytes;
            bytes += row_bytes;
            if (row.bold) bold_bytes += row_bytes;
        }
    }
    const auto most =
        std::max_element(bytes_by_size.begin(), bytes_by_size.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most != bytes_by_size.end()) body_size_ = most->first;
    body_bold_ = bold_bytes * 2 > bytes;
    rank_sizes(pages);
}

void Headings::rank_sizes(const std::vector<PageRows>& pages) {
    for (const PageRows& page : pages) {
        for (const Row& row : page.rows) {
            if (looks_like_heading(row)) sizes_.push_back(rounded(row.size));
        }
    }
    std::sort(sizes_.rbegin(), sizes_.rend());
    sizes_.erase(std::unique(sizes_.begin(), sizes_.end()), sizes_.end());
}

bool Headings::looks_like_heading(const Row& row) const {
    if (row.rotated || row.cells.size() > 2) return false;
    const bool larger = rounded(row.size) >= kLargerMin * body_size_;
    const bool bolder = row.bold && !body_bold_ && row.size >= 0.95F * body_size_;
    if (!larger && !bolder) return false;
    const std::string text = text_of(row);
    if (text.size() > kBytesMax || count_letters(text) < kLettersMin) return false;
    if (larger) return true;
    // A bold line in the body's size: short, and not the end of a sentence.
    std::uint32_t words = 0;
    for (const Fragment& cell : row.cells) words += cell.words;
    return words <= kBoldWordsMax && text.back() != '.' && text.back() != ',' &&
           text.back() != ':' && row.cells.size() == 1;
}

std::uint8_t Headings::outline_level(const Row& row, std::uint32_t page) const {
    const auto titles = outline_.find(page);
    if (titles == outline_.end()) return 0;
    // Most rows are too long to be one of the page's titles, whatever their spacing.
    std::size_t bytes = 0;
    for (const Fragment& cell : row.cells) bytes += cell.text.size();
    std::size_t longest = 0;
    for (const Title& title : titles->second) longest = std::max(longest, title.letters.size());
    if (bytes > 2 * longest + kNumberBytes) return 0;
    const std::string text = text_of(row);
    const std::string whole = letters_of(text);
    const std::string bare = letters_of(without_number(text));
    for (const Title& title : titles->second) {
        if (!title.letters.empty() && (title.letters == whole || title.letters == bare))
            return title.level;
    }
    return 0;
}

std::uint8_t Headings::level_of(const Row& row, std::uint32_t page) const {
    if (const std::uint8_t level = outline_level(row, page); level > 0) return level;
    if (!looks_like_heading(row)) return 0;
    const auto rank = std::find(sizes_.begin(), sizes_.end(), rounded(row.size));
    const auto level = static_cast<std::size_t>(rank - sizes_.begin()) + 1;
    return static_cast<std::uint8_t>(std::min(level, kLevelsMax));
}

}  // namespace heddle::ingest::pdf
