// The process that becomes Tesseract: limits first, then the program.
#pragma once

#include <cstdint>
#include <string>

namespace heddle::ingest::ocr {

struct RecogniserCommand {
    std::string program;
    std::string languages;
    std::uint32_t cpu_seconds = 0;
    std::uint64_t memory_bytes = 0;
};

// Reads a picture from descriptor 0 and writes words to descriptor 1. Returns only when the program
// cannot be started.
int recogniser_main(const RecogniserCommand& command);

}  // namespace heddle::ingest::ocr
