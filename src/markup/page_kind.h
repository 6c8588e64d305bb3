// Tells kinds of pages apart, from what they declare, from their address and from their shape.
// Internal.
#pragma once

#include <string_view>

#include "markup/main_text.h"
#include "markup/page_facts.h"
#include "markup/page_view.h"

namespace heddle::markup {

[[nodiscard]] PageKind classify_page(const PageView& page, const PageFacts& facts,
                                     std::string_view url);

}  // namespace heddle::markup
