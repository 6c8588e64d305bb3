// The words of one page as PDFium gives them, with their places as the page is shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingest/document.h"
#include "ingest/pdf/pdfium_library.h"
#include "ingest/pdf/visibility.h"

namespace heddle::ingest::pdf {

enum class Seen : std::uint8_t { kYes, kNoInk, kNo };

struct Word {
    std::string text;  // clean UTF-8
    Box box;
    float baseline = 0;
    float size = 0;  // of the font as it is shown, in points
    Seen seen = Seen::kYes;
    bool bold = false;
    bool rotated = false;
    bool line_start = false;  // PDFium found a new line here
    bool hyphenated = false;  // goes on in the next word
};

struct PageWords {
    float width = 0;
    float height = 0;
    std::vector<Word> words;  // in the order of the content stream
};

[[nodiscard]] PageWords read_words(const PdfiumLibrary& pdfium, FpdfPage* page);

// Letters and digits of the text, the measure of whether a page has any.
[[nodiscard]] std::uint32_t count_letters(std::string_view text);

}  // namespace heddle::ingest::pdf
