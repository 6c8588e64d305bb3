// What stands on one page: fragments of text with their places, in the order of the content
// stream, before anybody asks how they are read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingest/document.h"
#include "ingest/pdf/pdfium_library.h"

namespace heddle::ingest::pdf {

// Words on one baseline without a wide gap between them.
struct Fragment {
    std::string text;  // clean UTF-8
    Box box;
    float size = 0;  // of the font as it is shown, in points
    float baseline = 0;
    std::uint32_t words = 0;
    bool bold = false;
    bool rotated = false;     // its baseline is not horizontal
    bool hyphenated = false;  // its last word goes on in the next line
};

struct PageText {
    float width = 0;
    float height = 0;
    std::uint32_t letters = 0;
    std::uint64_t hidden = 0;  // invisible characters that were dropped
    std::vector<Fragment> fragments;
};

// Invisible text is left out: without ink (render modes 3 and 7, no opacity), white where nothing
// lies behind it, outside the page, or too small to be read. The text layer of a scan (mode 3 on a
// page without any other text) is kept. Not found out: text hidden behind a picture drawn over it.
[[nodiscard]] PageText read_page(const PdfiumLibrary& pdfium, FpdfPage* page);

}  // namespace heddle::ingest::pdf
