#include "ingest/page_painter.h"

#include <fmt/format.h>

#include <utility>

#include <boost/asio/this_coro.hpp>

#include "async/deadline.h"
#include "async/offload.h"
#include "ingest/sandbox/picture_wire.h"

namespace heddle::ingest {
namespace {

namespace asio = async::asio;

async::Task<Result<>> read_picture(sandbox::ChildProcess& child, sandbox::PictureReader& picture) {
    while (!picture.finished()) {
        const std::string bytes = co_await child.read();
        if (bytes.empty()) break;
        HEDDLE_CO_TRY_VOID(picture.feed(bytes));
    }
    if (picture.finished()) co_return Result<>();
    co_return fail(
        Error(ErrorCode::kCorrupt, "the page could not be painted").with_reason("unreadable"));
}

}  // namespace

PagePainter::PagePainter(ParserConfig config, PainterLimits limits, async::WorkerPool& pool)
    : config_(std::move(config)),
      limits_(limits),
      pool_(pool),
      processes_(async::Semaphore::create(limits.processes_max)) {}

async::Task<Result<Picture>> PagePainter::paint(int file, std::uint32_t page, std::uint32_t width) {
    const async::Semaphore::Permit permit = co_await processes_->acquire();
    const std::uint64_t bytes_max = config_.limits.file_bytes;
    auto seal = [file, bytes_max] { return sandbox::seal_file_blocking(file, bytes_max); };
    HEDDLE_CO_TRY(storage::UniqueFd input, co_await async::offload(pool_, std::move(seal)));
    co_return co_await paint_sealed(std::move(input), page, width);
}

async::Task<Result<Picture>> PagePainter::paint_bytes(std::string bytes, std::uint32_t page,
                                                      std::uint32_t width) {
    const async::Semaphore::Permit permit = co_await processes_->acquire();
    auto seal = [bytes = std::move(bytes)] { return sandbox::seal_bytes_blocking(bytes); };
    HEDDLE_CO_TRY(storage::UniqueFd input, co_await async::offload(pool_, std::move(seal)));
    co_return co_await paint_sealed(std::move(input), page, width);
}

async::Task<Result<Picture>> PagePainter::paint_sealed(storage::UniqueFd input, std::uint32_t page,
                                                       std::uint32_t width) {
    std::vector<std::string> command = {
        "--worker=paint",
        "--pdfium=" + config_.pdfium_library,
        fmt::format("--page={}", page),
        fmt::format("--width={}", width),
        fmt::format("--pixels={}", limits_.pixels_max),
        fmt::format("--cpu-seconds={}", limits_.cpu_seconds),
        fmt::format("--memory-bytes={}", config_.limits.memory_bytes),
        fmt::format("--require-sandbox={}", config_.require_sandbox ? "yes" : "no")};
    Result<Picture> picture = co_await run(std::move(input), std::move(command));
    if (!picture && picture.error().reason() == "empty")
        co_return fail(ErrorCode::kNotFound, "the document has no such page");
    co_return picture;
}

async::Task<Result<Picture>> PagePainter::run(storage::UniqueFd input,
                                              std::vector<std::string> command) {
    auto start = [this, &input, &command] {
        return sandbox::ChildProcess::start_blocking(config_.executable, command, input.get());
    };
    HEDDLE_CO_TRY(auto started, co_await async::offload(pool_, std::move(start)));
    const auto executor = co_await asio::this_coro::executor;
    sandbox::ChildProcess child(executor, pool_, std::move(started));
    sandbox::PictureReader picture(config_.limits, limits_.pixels_max);
    const auto deadline = async::Deadline::after(limits_.wall_time);
    const Result<> read = co_await async::with_deadline(deadline, read_picture(child, picture));
    if (!read && read.error().code() == ErrorCode::kDeadlineExceeded) {
        co_return fail(
            Error(ErrorCode::kCorrupt, "painting the page takes too long").with_reason("too_slow"));
    }
    if (!read) co_return fail(read.error());
    co_return picture.take();
}

}  // namespace heddle::ingest
