#include "ingest/pdf/running_heads.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <string>

namespace heddle::ingest::pdf {
namespace {

constexpr float kMarginBand = 0.14F;  // of the page's height, at either end
constexpr std::size_t kRowsPerBand = 2;
constexpr std::size_t kReach = 4;       // pages to look at on either side
constexpr std::size_t kRepeatsMin = 2;  // on other pages
constexpr float kSameHeight = 4.0F;     // points
constexpr std::size_t kNumberBytesMax = 24;

struct Candidate {
    std::size_t row = 0;
    float baseline = 0;
    std::string shape;  // the text with its numbers as "#"
};

// Numbers, Arabic and Roman, become "#", so that a head that carries them repeats.
std::string shape_of(const Row& row) {
    std::string shape;
    for (const Fragment& cell : row.cells) {
        for (const char c : cell.text) {
            const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
            if (digit && !shape.empty() && shape.back() == '#') continue;
            shape += digit ? '#' : c;
        }
        shape += ' ';
    }
    return shape;
}

bool is_roman(std::string_view text) {
    return !text.empty() && text.find_first_not_of("ivxlcdm") == std::string_view::npos;
}

// "12", "- 12 -", "xii", "Page 3 of 10".
bool is_page_number(const Row& row, const std::string& shape) {
    if (row.cells.size() != 1 || row.cells.front().text.size() > kNumberBytesMax) return false;
    std::string bare;
    for (const char c : shape) {
        if (std::isalpha(static_cast<unsigned char>(c)) != 0)
            bare += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (c == '#')
            bare += c;
        else if (static_cast<unsigned char>(c) >= 0x80)
            return false;
    }
    return bare == "#" || bare == "page#" || bare == "page#of#" || bare == "#of#" || bare == "##" ||
           is_roman(bare);
}

std::vector<Candidate> candidates_of(const PageRows& page) {
    std::vector<Candidate> found;
    const auto consider = [&](std::size_t i) {
        const Row& row = page.rows[i];
        if (!row.rotated) found.push_back({i, row.baseline, shape_of(row)});
    };
    // The outermost rows by place, whatever the reading order made of them.
    std::vector<std::size_t> by_height(page.rows.size());
    for (std::size_t i = 0; i < by_height.size(); ++i) by_height[i] = i;
    std::sort(by_height.begin(), by_height.end(), [&](std::size_t a, std::size_t b) {
        return page.rows[a].baseline < page.rows[b].baseline;
    });
    const std::size_t ends = std::min(kRowsPerBand, by_height.size());
    for (std::size_t i = 0; i < ends; ++i) {
        if (page.rows[by_height[i]].baseline <= kMarginBand * page.height) consider(by_height[i]);
    }
    for (std::size_t i = by_height.size(); i > by_height.size() - ends; --i) {
        const Row& row = page.rows[by_height[i - 1]];
        if (row.baseline >= (1 - kMarginBand) * page.height) consider(by_height[i - 1]);
    }
    return found;
}

class RunningHeads {
public:
    explicit RunningHeads(const std::vector<PageRows>& pages) {
        for (const PageRows& page : pages) candidates_.push_back(candidates_of(page));
    }

    [[nodiscard]] std::vector<std::size_t> rows_to_remove(const PageRows& page,
                                                          std::size_t index) const {
        std::vector<std::size_t> rows;
        for (const Candidate& candidate : candidates_[index]) {
            const std::size_t repeats = repeats_near(index, candidate);
            const bool number = is_page_number(page.rows[candidate.row], candidate.shape);
            if (repeats >= kRepeatsMin || (number && repeats >= 1)) rows.push_back(candidate.row);
        }
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
        return rows;
    }

private:
    [[nodiscard]] std::size_t repeats_near(std::size_t index, const Candidate& wanted) const {
        const std::size_t first = index > kReach ? index - kReach : 0;
        const std::size_t last = std::min(candidates_.size() - 1, index + kReach);
        std::size_t repeats = 0;
        for (std::size_t i = first; i <= last; ++i) {
            if (i == index) continue;
            repeats += std::any_of(
                candidates_[i].begin(), candidates_[i].end(), [&](const Candidate& other) {
                    return std::fabs(other.baseline - wanted.baseline) <= kSameHeight &&
                           other.shape == wanted.shape;
                });
        }
        return repeats;
    }

    std::vector<std::vector<Candidate>> candidates_;  // by page
};

}  // namespace

void remove_running_heads(std::vector<PageRows>& pages) {
    const RunningHeads heads(pages);
    std::vector<std::vector<std::size_t>> doomed;
    for (std::size_t i = 0; i < pages.size(); ++i)
        doomed.push_back(heads.rows_to_remove(pages[i], i));
    for (std::size_t i = 0; i < pages.size(); ++i) {
        // On a page that holds nothing else they are its text.
        if (doomed[i].size() == pages[i].rows.size()) continue;
        for (std::size_t k = doomed[i].size(); k > 0; --k)
            pages[i].rows.erase(pages[i].rows.begin() +
                                static_cast<std::ptrdiff_t>(doomed[i][k - 1]));
    }
}

}  // namespace heddle::ingest::pdf
