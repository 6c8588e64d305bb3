// A picture of a page, marked and encoded. Pure functions; a few milliseconds for a megapixel, so
// they belong on a worker.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ingest/document.h"

namespace heddle::ingest {

struct Picture {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    // Of the page as it is shown, in points: what boxes are measured in.
    float page_width = 0;
    std::string rgb;  // rows from the top, three bytes a pixel, no padding
};

// Paints over the boxes as a marker pen does: paper turns yellow and ink stays dark.
void mark_boxes(Picture& picture, std::span<const Box> boxes);

// PNG (ISO 15948): 8-bit colour, or 8-bit grey where the picture has no colour.
[[nodiscard]] std::string encode_png(const Picture& picture);

}  // namespace heddle::ingest
