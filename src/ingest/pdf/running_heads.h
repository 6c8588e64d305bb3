// Heads, feet and page numbers that repeat from page to page are not text of the document.
#pragma once

#include <vector>

#include "ingest/pdf/reading_order.h"

namespace heddle::ingest::pdf {

struct PageRows {
    float height = 0;
    std::vector<Row> rows;
};

// Removes rows at the very top or bottom of a page whose text (digits aside) stands at the same
// height on neighbouring pages, and lone page numbers.
void remove_running_heads(std::vector<PageRows>& pages);

}  // namespace heddle::ingest::pdf
