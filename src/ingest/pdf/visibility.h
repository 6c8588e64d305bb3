// Whether a text object can be seen by somebody who looks at the page.
#pragma once

#include <optional>
#include <vector>

#include "ingest/pdf/pdfium_library.h"

namespace heddle::ingest::pdf {

enum class Visibility { kVisible, kNoInk, kWhite };

// One page; PDFium's coordinates.
class PageVisibility {
public:
    PageVisibility(const PdfiumLibrary& pdfium, FpdfPage* page) : pdfium_(pdfium), page_(page) {}

    [[nodiscard]] Visibility of(FpdfObject* text);

private:
    [[nodiscard]] bool has_backdrop(FpdfObject* text);
    void collect_backdrops();

    const PdfiumLibrary& pdfium_;
    FpdfPage* page_;
    // Areas that are painted in something else than white; filled on first need.
    std::optional<std::vector<FpdfRect>> backdrops_;
};

}  // namespace heddle::ingest::pdf
