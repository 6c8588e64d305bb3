// The bounds of reading one foreign file. Defaults from the table of the threat model; what a
// reader cannot count itself (streams, filters, fonts inside PDFium) is bounded by memory and time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace heddle::ingest {

struct ParseLimits {
    std::uint64_t file_bytes = 50ULL << 20;
    std::uint32_t pages = 2'000;
    std::uint64_t text_bytes = 20ULL << 20;
    std::uint32_t objects_per_page = 1'000'000;
    std::uint32_t outline_entries = 10'000;
    std::chrono::seconds wall_time{30};
    std::uint32_t cpu_seconds = 20;
    std::uint64_t memory_bytes = 512ULL << 20;
    // Everything that the parser process may write, text and geometry together.
    std::uint64_t output_bytes = 128ULL << 20;
};

}  // namespace heddle::ingest
