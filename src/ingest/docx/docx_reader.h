// Word documents (Office Open XML, ECMA-376): paragraphs, headings by their style, lists, tables
// row by row, notes at the end. What Word does not show (hidden, white or deleted text) is left
// out.
#pragma once

#include "ingest/formats.h"

namespace heddle::ingest::docx {

[[nodiscard]] const Format& docx_format();

}  // namespace heddle::ingest::docx
