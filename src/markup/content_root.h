// Where on a page its main text is. Internal.
#pragma once

#include "markup/main_text.h"
#include "markup/page_view.h"

namespace heddle::markup {

// The smallest subtree that holds nearly all of the page's prose, beginning at what the page
// declares to be its main part.
[[nodiscard]] NodeIndex find_content_root(const PageView& page, PageKind kind);

}  // namespace heddle::markup
