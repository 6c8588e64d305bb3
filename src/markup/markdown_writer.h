// The text of a part of a page as Markdown: headings, lists, tables, code and quotes keep their
// shape; links keep their words only, so that nothing a page says can name a place to go to.
#pragma once

#include <string>

#include "markup/page_view.h"

namespace heddle::markup {

// Without what the view has removed. Blocks are separated by one empty line.
[[nodiscard]] std::string write_markdown(const PageView& page, NodeIndex root);

// One line of plain text, white space collapsed.
[[nodiscard]] std::string plain_text(const PageView& page, NodeIndex root);

}  // namespace heddle::markup
