// Plain text and Markdown: no layout to find out, only paragraphs, headings, lists and code.
#pragma once

#include "ingest/formats.h"

namespace heddle::ingest::plain {

// Paragraphs are parted by empty lines.
[[nodiscard]] const Format& text_format();

// The blocks of CommonMark that matter for passages: headings (# and underlined), fenced code,
// list items, table rows, paragraphs. Marks inside a line are left as they are written.
[[nodiscard]] const Format& markdown_format();

// The readers' common part, for tests: blocks of a whole text.
enum class Dialect { kPlain, kMarkdown };
[[nodiscard]] std::vector<Block> read_blocks(std::string_view text, Dialect dialect);

}  // namespace heddle::ingest::plain
