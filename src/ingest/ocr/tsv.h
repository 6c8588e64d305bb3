// What Tesseract prints with its configuration "tsv": one word a line with its place.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ingest/document.h"

namespace heddle::ingest::ocr {

// Paragraphs of page `page` with their lines, in points: `scale` is points a pixel. Words that were
// hardly recognised are left out; what is no table of words gives nothing. Pure.
[[nodiscard]] std::vector<Block> read_tsv(std::string_view tsv, std::uint32_t page, float scale);

}  // namespace heddle::ingest::ocr
