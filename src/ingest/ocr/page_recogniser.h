// Text of pages that are pictures: each is painted by PDFium behind its walls, and read by
// Tesseract (a program of its own) in a process with limits on time, memory and files.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "ingest/document.h"
#include "ingest/page_painter.h"

namespace heddle::ingest::ocr {

struct OcrConfig {
    std::string program = "/usr/bin/tesseract";
    std::string languages;  // "eng+deu"
    // The binary that calls parser_main() for `--worker=recognise`: the running one.
    std::string executable = "/proc/self/exe";
    std::uint32_t width = 1700;  // pixels of a page: 200 a inch for Letter and A4
    std::uint32_t pages_max = 300;
    std::uint32_t cpu_seconds = 30;  // a page
    std::chrono::seconds wall_time{60};
    std::uint64_t memory_bytes = 1ULL << 30;
    std::size_t text_bytes_max = 4U << 20;  // a page
};

// Letters, digits, "_", "+" and "-": names of languages as Tesseract has them.
[[nodiscard]] bool is_language_list(std::string_view text);

// Thread-safe; the painter outlives it.
class PageRecogniser {
public:
    using OnProgress = std::function<void(std::uint32_t done, std::uint32_t total)>;

    PageRecogniser(OcrConfig config, PagePainter& painter, async::WorkerPool& pool)
        : config_(std::move(config)), painter_(painter), pool_(pool) {}

    // Puts the text of the pages that have none into the document, in the order of its pages. A
    // page that cannot be read stays without text. `file` is the document's PDF file.
    async::Task<> read_pages(ParsedDocument& document, int file, OnProgress on_progress);

private:
    async::Task<Result<std::vector<Block>>> read_page(int file, std::uint32_t page);
    async::Task<Result<std::string>> recognise(std::string png);

    const OcrConfig config_;
    PagePainter& painter_;
    async::WorkerPool& pool_;
};

}  // namespace heddle::ingest::ocr
