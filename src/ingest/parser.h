// Reading a foreign file: in a process of its own that has nothing but the bytes, bounded in time,
// memory and output, its answer checked byte by byte.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "async/runtime.h"
#include "async/semaphore.h"
#include "async/task.h"
#include "base/result.h"
#include "ingest/document.h"
#include "ingest/limits.h"
#include "ingest/sandbox/child_process.h"

namespace heddle::ingest {

struct ParserConfig {
    // The binary that calls parser_main() for `--worker=parse`: the running one.
    std::string executable = "/proc/self/exe";
    std::string pdfium_library;  // path of libpdfium.so; without it PDF files are refused
    // Refuse every document where the kernel cannot confine the parser by seccomp.
    bool require_sandbox = false;
    std::size_t processes_max = 2;
    ParseLimits limits;
};

// Thread-safe. Nothing here blocks an I/O thread. Cancelling a call kills its process.
class Parser {
public:
    // Called on the caller's executor: pages read so far, pages in all.
    using OnProgress = std::function<void(std::uint32_t done, std::uint32_t total)>;

    Parser(ParserConfig config, async::WorkerPool& pool);

    // `file` is read from its start and must stay open meanwhile. `format` is a name of
    // formats(). Errors: kCorrupt with a reason() for a file that cannot be read ("encrypted",
    // "damaged", "empty", "too_slow", …) and a message fit for the client; kUnavailable where
    // the reader or the sandbox is missing; kIo.
    async::Task<Result<ParsedDocument>> parse(int file, std::string format,
                                              OnProgress on_progress = {});
    async::Task<Result<ParsedDocument>> parse_bytes(std::string bytes, std::string format,
                                                    OnProgress on_progress = {});

    [[nodiscard]] const ParserConfig& config() const { return config_; }

private:
    async::Task<Result<ParsedDocument>> parse_sealed(storage::UniqueFd input, std::string format,
                                                     OnProgress on_progress);
    [[nodiscard]] std::vector<std::string> arguments(const std::string& format) const;

    const ParserConfig config_;
    async::WorkerPool& pool_;
    const std::shared_ptr<async::Semaphore> processes_;
};

}  // namespace heddle::ingest
