// HTML files: the main text of a saved page, or all of it where a page is nothing but text.
#pragma once

#include "ingest/formats.h"

namespace heddle::ingest::html {

[[nodiscard]] const Format& html_format();

}  // namespace heddle::ingest::html
