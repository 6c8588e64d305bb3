#include "ingest/parser.h"

#include <fmt/format.h>
#include <signal.h>

#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "async/deadline.h"
#include "async/offload.h"
#include "base/log.h"
#include "ingest/sandbox/records.h"
#include "ingest/sandbox/walls.h"

namespace heddle::ingest {
namespace {

namespace asio = async::asio;

// How long a process that has closed its output may take to end.
constexpr std::chrono::seconds kExitPatience{2};

Error unreadable(std::string message, const char* reason) {
    return Error(ErrorCode::kCorrupt, std::move(message)).with_reason(reason);
}

Error too_slow(const ParseLimits& limits) {
    return unreadable(
        fmt::format("reading the file takes more than {} seconds", limits.wall_time.count()),
        "too_slow");
}

// Why a process ended that had not finished its document.
Error explain(sandbox::ExitStatus status, const ParseLimits& limits) {
    if (!status.signalled && status.code == 0)
        return unreadable("the document could not be read", "unreadable");
    switch (status.code) {
        case SIGXCPU:
        case SIGKILL:
            return too_slow(limits);
        case SIGSYS:
            return unreadable("the reader of the file attempted something forbidden and was ended",
                              "forbidden");
        default:
            return unreadable("the file is damaged: its reader failed on it", "crashed");
    }
}

async::Task<Result<>> read_records(sandbox::ChildProcess& child, sandbox::RecordReader& records) {
    while (!records.finished()) {
        const std::string bytes = co_await child.read();
        if (bytes.empty()) break;
        HEDDLE_CO_TRY_VOID(records.feed(bytes));
    }
    co_return Result<>();
}

void report_walls_once(std::uint32_t walls) {
    static std::once_flag reported;
    std::call_once(reported, [walls] {
        log::info("ingest", "documents are read in a process of their own",
                  {{"walls", sandbox::describe_walls(walls)}});
    });
}

}  // namespace

Parser::Parser(ParserConfig config, async::WorkerPool& pool)
    : config_(std::move(config)),
      pool_(pool),
      processes_(async::Semaphore::create(config_.processes_max)) {}

std::vector<std::string> Parser::arguments(const std::string& format) const {
    const ParseLimits& limits = config_.limits;
    return {"--worker=parse",
            "--format=" + format,
            "--pdfium=" + config_.pdfium_library,
            fmt::format("--pages={}", limits.pages),
            fmt::format("--text-bytes={}", limits.text_bytes),
            fmt::format("--cpu-seconds={}", limits.cpu_seconds),
            fmt::format("--memory-bytes={}", limits.memory_bytes),
            fmt::format("--require-sandbox={}", config_.require_sandbox ? "yes" : "no")};
}

async::Task<Result<ParsedDocument>> Parser::parse(int file, std::string format,
                                                  OnProgress on_progress) {
    const async::Semaphore::Permit permit = co_await processes_->acquire();
    const std::uint64_t bytes_max = config_.limits.file_bytes;
    auto seal = [file, bytes_max] { return sandbox::seal_file_blocking(file, bytes_max); };
    HEDDLE_CO_TRY(storage::UniqueFd input, co_await async::offload(pool_, std::move(seal)));
    co_return co_await parse_sealed(std::move(input), std::move(format), std::move(on_progress));
}

async::Task<Result<ParsedDocument>> Parser::parse_bytes(std::string bytes, std::string format,
                                                        OnProgress on_progress) {
    if (bytes.size() > config_.limits.file_bytes)
        co_return fail(ErrorCode::kTooLarge, "the file is too large to be read");
    const async::Semaphore::Permit permit = co_await processes_->acquire();
    auto seal = [bytes = std::move(bytes)] { return sandbox::seal_bytes_blocking(bytes); };
    HEDDLE_CO_TRY(storage::UniqueFd input, co_await async::offload(pool_, std::move(seal)));
    co_return co_await parse_sealed(std::move(input), std::move(format), std::move(on_progress));
}

async::Task<Result<ParsedDocument>> Parser::parse_sealed(storage::UniqueFd input,
                                                         std::string format,
                                                         OnProgress on_progress) {
    const auto deadline = async::Deadline::after(config_.limits.wall_time);
    auto start = [this, &input, command = arguments(format)] {
        return sandbox::ChildProcess::start_blocking(config_.executable, command, input.get());
    };
    HEDDLE_CO_TRY(auto started, co_await async::offload(pool_, std::move(start)));
    const auto executor = co_await asio::this_coro::executor;
    sandbox::ChildProcess child(executor, pool_, std::move(started));
    sandbox::RecordReader records(config_.limits, std::move(on_progress));
    const Result<> read = co_await async::with_deadline(deadline, read_records(child, records));
    if (!read && read.error().code() == ErrorCode::kDeadlineExceeded)
        co_return fail(too_slow(config_.limits));
    if (!read) co_return fail(read.error());
    report_walls_once(records.walls());
    if (records.finished()) co_return records.take();
    const auto patience = async::Deadline::after(kExitPatience);
    const Result<sandbox::ExitStatus> ended = co_await async::with_deadline(patience, child.wait());
    if (!ended) co_return fail(too_slow(config_.limits));
    co_return fail(explain(*ended, config_.limits));
}

}  // namespace heddle::ingest
