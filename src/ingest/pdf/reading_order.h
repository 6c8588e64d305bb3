// The order in which a page is read: columns one after the other, each from top to bottom, with
// what spans them (titles, wide figures) in between; tables stay in rows.
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/pdf/page_text.h"

namespace heddle::ingest::pdf {

// Fragments on one baseline of one column, from left to right. More than one where wide gaps stand
// between them: the cells of a table, a line of two halves.
struct Row {
    std::vector<Fragment> cells;
    Box box;
    float size = 0;
    float baseline = 0;
    bool bold = false;
    bool rotated = false;
    std::uint32_t region = 0;  // rows of one column share it

    [[nodiscard]] bool hyphenated() const { return cells.back().hyphenated; }
};

[[nodiscard]] std::vector<Row> reading_order(PageText page);

}  // namespace heddle::ingest::pdf
