// One page of a PDF file as a picture. In the painting process only.
#pragma once

#include <cstdint>
#include <string_view>

#include <tl/expected.hpp>

#include "ingest/pdf/pdfium_library.h"
#include "ingest/picture.h"
#include "ingest/sandbox/records.h"

namespace heddle::ingest::pdf {

struct PictureSize {
    std::uint32_t width = 0;  // wanted, in pixels; smaller where the page would pass the limit
    std::uint32_t pixels_max = 0;
};

// `page` from 1. kEmpty where there is no such page.
[[nodiscard]] tl::expected<Picture, sandbox::Failure> paint_page(const PdfiumLibrary& pdfium,
                                                                 std::string_view file,
                                                                 std::uint32_t page,
                                                                 PictureSize size);

}  // namespace heddle::ingest::pdf
