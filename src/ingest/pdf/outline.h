// The document's own table of contents (bookmarks), which tells its headings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ingest/pdf/pdfium_library.h"

namespace heddle::ingest::pdf {

struct OutlineEntry {
    std::string title;       // clean UTF-8
    std::uint8_t level = 1;  // 1 to 6
    std::uint32_t page = 0;  // from 1
};

// In the order of the document; cycles are cut, at most `entries_max`.
[[nodiscard]] std::vector<OutlineEntry> read_outline(const PdfiumLibrary& pdfium,
                                                     FpdfDocument* document,
                                                     std::size_t entries_max);

// The title of the document's metadata; empty when it has none worth showing.
[[nodiscard]] std::string read_title(const PdfiumLibrary& pdfium, FpdfDocument* document);

}  // namespace heddle::ingest::pdf
