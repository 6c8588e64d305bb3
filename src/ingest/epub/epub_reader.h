// Books (EPUB 2 and 3, W3C): the texts of the spine in reading order, each read as HTML.
#pragma once

#include <string>
#include <string_view>

#include "ingest/formats.h"

namespace heddle::ingest::epub {

[[nodiscard]] const Format& epub_format();

// XHTML writes <title/> and <a id="x"/>, which HTML takes for elements that stay open: gives every
// such element its end, but for those that HTML knows as empty.
[[nodiscard]] std::string with_end_tags(std::string_view xhtml);

}  // namespace heddle::ingest::epub
