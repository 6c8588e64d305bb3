#include "ingest/pdf/reading_order.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace heddle::ingest::pdf {
namespace {

constexpr int kDepthMax = 6;  // columns within columns
constexpr std::size_t kColumnLinesMin = 4;
constexpr float kCrossingShareMax = 0.3F;  // of the fragments may lie across a gutter
constexpr float kGutterWidthMin = 0.6F;    // of the font size
constexpr float kColumnFillMin = 0.45F;    // typical line of a column of text, of its width
constexpr float kColumnWordsMin = 2.5F;    // typical line; cells of tables are shorter
constexpr float kSameRow = 0.45F;          // baselines closer than this many font sizes

using Fragments = std::vector<Fragment>;

float width_of(const Box& box) {
    return box.right - box.left;
}
float center_of(const Box& box) {
    return (box.left + box.right) / 2;
}

Box united(const Box& a, const Box& b) {
    return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right),
            std::max(a.bottom, b.bottom)};
}

Box bounds_of(const Fragments& fragments) {
    Box box = fragments.front().box;
    for (const Fragment& fragment : fragments) box = united(box, fragment.box);
    return box;
}

template <class Value>
Value median(std::vector<Value> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// An interval of x that few fragments reach into.
struct Gutter {
    float left = 0;
    float right = 0;
    std::size_t crossing = 0;
    [[nodiscard]] float center() const { return (left + right) / 2; }
};

// Whether the fragments on one side of a gutter look like lines of running text.
bool is_text_column(const std::vector<const Fragment*>& side) {
    if (side.size() < kColumnLinesMin) return false;
    Box box = side.front()->box;
    std::vector<float> widths;
    std::vector<float> words;
    for (const Fragment* fragment : side) {
        box = united(box, fragment->box);
        widths.push_back(width_of(fragment->box));
        words.push_back(static_cast<float>(fragment->words));
    }
    return median(widths) >= kColumnFillMin * width_of(box) && median(words) >= kColumnWordsMin;
}

bool splits_text(const Fragments& fragments, const Gutter& gutter) {
    std::vector<const Fragment*> left;
    std::vector<const Fragment*> right;
    for (const Fragment& fragment : fragments) {
        if (fragment.box.right <= gutter.right) left.push_back(&fragment);
        if (fragment.box.left >= gutter.left) right.push_back(&fragment);
    }
    if (!is_text_column(left) || !is_text_column(right)) return false;
    const auto top_and_bottom = [](const std::vector<const Fragment*>& side) {
        float top = side.front()->box.top;
        float bottom = side.front()->box.bottom;
        for (const Fragment* fragment : side) {
            top = std::min(top, fragment->box.top);
            bottom = std::max(bottom, fragment->box.bottom);
        }
        return std::pair(top, bottom);
    };
    const auto [left_top, left_bottom] = top_and_bottom(left);
    const auto [right_top, right_bottom] = top_and_bottom(right);
    const float shared = std::min(left_bottom, right_bottom) - std::max(left_top, right_top);
    const float shorter = std::min(left_bottom - left_top, right_bottom - right_top);
    return shared > 0.3F * shorter;
}

// Intervals between edges in which the number of fragments on top of each other is lowest.
std::vector<Gutter> gutter_candidates(const Fragments& fragments, float gap_min) {
    std::vector<std::pair<float, int>> edges;
    for (const Fragment& fragment : fragments) {
        edges.emplace_back(fragment.box.left, +1);
        edges.emplace_back(fragment.box.right, -1);
    }
    std::sort(edges.begin(), edges.end());
    const auto crossing_max =
        static_cast<std::size_t>(kCrossingShareMax * static_cast<float>(fragments.size()));
    std::vector<Gutter> candidates;
    std::size_t depth = 0;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        depth = edges[i].second > 0 ? depth + 1 : depth - 1;
        if (depth > crossing_max || edges[i + 1].first - edges[i].first < gap_min) continue;
        candidates.push_back({edges[i].first, edges[i + 1].first, depth});
    }
    std::sort(candidates.begin(), candidates.end(), [](const Gutter& a, const Gutter& b) {
        if (a.crossing != b.crossing) return a.crossing < b.crossing;
        return a.right - a.left > b.right - b.left;
    });
    return candidates;
}

std::optional<Gutter> find_gutter(const Fragments& fragments) {
    if (fragments.size() < 2 * kColumnLinesMin) return std::nullopt;
    std::vector<float> sizes;
    for (const Fragment& fragment : fragments) sizes.push_back(fragment.size);
    constexpr std::size_t kTries = 8;
    std::vector<Gutter> candidates =
        gutter_candidates(fragments, kGutterWidthMin * median(std::move(sizes)));
    if (candidates.size() > kTries) candidates.resize(kTries);
    for (const Gutter& gutter : candidates) {
        if (splits_text(fragments, gutter)) return gutter;
    }
    return std::nullopt;
}

class Ordering {
public:
    std::vector<Row> run(Fragments fragments) {
        Fragments upright;
        Fragments rotated;
        for (Fragment& fragment : fragments)
            (fragment.rotated ? rotated : upright).push_back(std::move(fragment));
        order(std::move(upright), 0);
        for (Fragment& fragment : rotated) add_row({std::move(fragment)});
        return std::move(rows_);
    }

private:
    void order(Fragments fragments, int depth) {
        if (fragments.empty()) return;
        const std::optional<Gutter> gutter =
            depth < kDepthMax ? find_gutter(fragments) : std::nullopt;
        if (!gutter) {
            order_column(std::move(fragments));
            return;
        }
        std::sort(fragments.begin(), fragments.end(), [](const Fragment& a, const Fragment& b) {
            return std::pair(a.box.top, a.box.left) < std::pair(b.box.top, b.box.left);
        });
        // Bands between the fragments that lie across the gutter.
        Fragments spanning;
        Fragments left;
        Fragments right;
        for (Fragment& fragment : fragments) {
            const bool across =
                fragment.box.left < gutter->left && fragment.box.right > gutter->right;
            if (across && !(left.empty() && right.empty())) {
                order_column(std::exchange(spanning, {}));
                order_sides(left, right, depth);
            }
            if (across)
                spanning.push_back(std::move(fragment));
            else
                (center_of(fragment.box) < gutter->center() ? left : right)
                    .push_back(std::move(fragment));
        }
        order_column(std::move(spanning));
        order_sides(left, right, depth);
    }

    void order_sides(Fragments& left, Fragments& right, int depth) {
        order(std::exchange(left, {}), depth + 1);
        order(std::exchange(right, {}), depth + 1);
    }

    // One column: rows by their baselines.
    void order_column(Fragments fragments) {
        if (fragments.empty()) return;
        ++region_;
        std::sort(fragments.begin(), fragments.end(), [](const Fragment& a, const Fragment& b) {
            return std::pair(a.baseline, a.box.left) < std::pair(b.baseline, b.box.left);
        });
        Fragments cells;
        for (Fragment& fragment : fragments) {
            const bool same =
                !cells.empty() && fragment.baseline - cells.front().baseline <=
                                      kSameRow * std::max(cells.front().size, fragment.size);
            if (!same && !cells.empty()) add_row(std::exchange(cells, {}));
            cells.push_back(std::move(fragment));
        }
        add_row(std::move(cells));
    }

    void add_row(Fragments cells) {
        std::sort(cells.begin(), cells.end(),
                  [](const Fragment& a, const Fragment& b) { return a.box.left < b.box.left; });
        Row row{.box = bounds_of(cells), .bold = true, .region = region_};
        row.rotated = cells.front().rotated;
        for (const Fragment& cell : cells) {
            if (cell.size > row.size) {
                row.size = cell.size;
                row.baseline = cell.baseline;
            }
            row.bold = row.bold && cell.bold;
        }
        if (row.rotated) row.region = ++region_;
        row.cells = std::move(cells);
        rows_.push_back(std::move(row));
    }

    std::vector<Row> rows_;
    std::uint32_t region_ = 0;
};

}  // namespace

std::vector<Row> reading_order(PageText page) {
    return Ordering().run(std::move(page.fragments));
}

}  // namespace heddle::ingest::pdf
