// Plain text and Markdown: no layout to find out, only paragraphs, headings, lists and code.
#pragma once

#include "ingest/formats.h"

namespace heddle::ingest::plain {

// Paragraphs are parted by empty lines.
[[nodiscard]] const Format& text_format();

// The blocks of CommonMark that matter for passages: headings (# and underlined), fenced code,
// list items, table rows, paragraphs. Marks inside a line are left as they are written.
[[nodiscard]] const Format& markdown_format();

// No control characters but those of lines and tabs, or the mark of UTF-16 in front.
[[nodiscard]] bool looks_like_text(std::string_view head);

// The blocks of a whole text; other formats that are read through Markdown use it too.
enum class Dialect { kPlain, kMarkdown };
[[nodiscard]] std::vector<Block> read_blocks(std::string_view text, Dialect dialect);

}  // namespace heddle::ingest::plain
