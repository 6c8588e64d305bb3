// Pictures of pages, painted in a process of its own that has nothing but the file: the second
// profile of the sandbox, with a cap on pixels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/runtime.h"
#include "async/semaphore.h"
#include "async/task.h"
#include "base/result.h"
#include "ingest/parser.h"
#include "ingest/picture.h"

namespace heddle::ingest {

struct PainterLimits {
    std::uint32_t pixels_max = 4'000'000;
    std::chrono::seconds wall_time{15};
    std::uint32_t cpu_seconds = 10;
    std::size_t processes_max = 2;
};

// Thread-safe. Nothing here blocks an I/O thread. Cancelling a call kills its process.
class PagePainter {
public:
    PagePainter(ParserConfig config, PainterLimits limits, async::WorkerPool& pool);

    // Page `page` (from 1) of a PDF file, `width` pixels wide where the cap allows it. `file` is
    // read from its start and must stay open meanwhile. Errors as Parser::parse; kNotFound where
    // there is no such page.
    async::Task<Result<Picture>> paint(int file, std::uint32_t page, std::uint32_t width);
    async::Task<Result<Picture>> paint_bytes(std::string bytes, std::uint32_t page,
                                             std::uint32_t width);

private:
    async::Task<Result<Picture>> paint_sealed(storage::UniqueFd input, std::uint32_t page,
                                              std::uint32_t width);
    async::Task<Result<Picture>> run(storage::UniqueFd input, std::vector<std::string> command);

    const ParserConfig config_;
    const PainterLimits limits_;
    async::WorkerPool& pool_;
    const std::shared_ptr<async::Semaphore> processes_;
};

}  // namespace heddle::ingest
