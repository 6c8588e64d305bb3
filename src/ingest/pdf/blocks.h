// Rows of pages become headings, paragraphs, list items and table rows.
#pragma once

#include <vector>

#include "ingest/document.h"
#include "ingest/pdf/outline.h"
#include "ingest/pdf/running_heads.h"

namespace heddle::ingest::pdf {

// Paragraphs that go on in the next column or page are joined, words that were split at the end of
// a line too. Headings are told by the outline, else by their size or weight.
[[nodiscard]] std::vector<Block> build_blocks(const std::vector<PageRows>& pages,
                                              const std::vector<OutlineEntry>& outline);

}  // namespace heddle::ingest::pdf
