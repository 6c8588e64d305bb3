#include "ingest/ocr/page_recogniser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "async/deadline.h"
#include "async/offload.h"
#include "base/log.h"
#include "ingest/ocr/tsv.h"
#include "ingest/sandbox/child_process.h"

namespace heddle::ingest::ocr {
namespace {

namespace asio = async::asio;

async::Task<Result<std::string>> read_all(sandbox::ChildProcess& child, std::size_t bytes_max) {
    std::string text;
    for (;;) {
        const std::string piece = co_await child.read();
        if (piece.empty()) co_return text;
        text += piece;
        if (text.size() > bytes_max) co_return fail(ErrorCode::kTooLarge, "too much text");
    }
}

std::uint32_t letters_of(const std::vector<Block>& blocks) {
    std::size_t letters = 0;
    for (const Block& block : blocks) {
        letters += static_cast<std::size_t>(
            std::count_if(block.text.begin(), block.text.end(), [](char c) {
                const auto byte = static_cast<unsigned char>(c);
                return byte >= 0xC0 || (byte >= '0' && byte <= '9') ||
                       ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
            }));
    }
    return static_cast<std::uint32_t>(letters);
}

// Before the first block of a later page.
void insert_in_order(std::vector<Block>& all, std::vector<Block> blocks, std::uint32_t page) {
    const auto place = std::find_if(all.begin(), all.end(),
                                    [page](const Block& block) { return block.page > page; });
    all.insert(place, std::make_move_iterator(blocks.begin()),
               std::make_move_iterator(blocks.end()));
}

}  // namespace

bool is_language_list(std::string_view text) {
    return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '+';
    });
}

async::Task<> PageRecogniser::read_pages(ParsedDocument& document, int file,
                                         OnProgress on_progress) {
    std::vector<std::uint32_t> pages = document.pages_without_text();
    pages.resize(std::min<std::size_t>(pages.size(), config_.pages_max));
    std::uint32_t done = 0;
    for (const std::uint32_t page : pages) {
        if (on_progress) on_progress(done++, static_cast<std::uint32_t>(pages.size()));
        auto blocks = co_await read_page(file, page);
        if (!blocks) {
            log::warn("ingest", "a page could not be recognised",
                      {{"page", page}, {"error", blocks.error().message()}});
            continue;
        }
        document.pages[page - 1].letters = letters_of(*blocks);
        insert_in_order(document.blocks, std::move(*blocks), page);
    }
}

async::Task<Result<std::vector<Block>>> PageRecogniser::read_page(int file, std::uint32_t page) {
    HEDDLE_CO_TRY(const Picture picture, co_await painter_.paint(file, page, config_.width));
    const auto encode = [&picture] { return encode_png(picture); };
    HEDDLE_CO_TRY(const std::string tsv,
                  co_await recognise(co_await async::offload(pool_, encode)));
    co_return read_tsv(tsv, page, picture.page_width / static_cast<float>(picture.width));
}

async::Task<Result<std::string>> PageRecogniser::recognise(std::string png) {
    const std::vector<std::string> command = {
        "--worker=recognise", "--program=" + config_.program, "--languages=" + config_.languages,
        fmt::format("--cpu-seconds={}", config_.cpu_seconds),
        fmt::format("--memory-bytes={}", config_.memory_bytes)};
    const auto start = [&]() -> Result<sandbox::ChildProcess::Started> {
        HEDDLE_TRY(const storage::UniqueFd input, sandbox::seal_bytes_blocking(png));
        return sandbox::ChildProcess::start_blocking(config_.executable, command, input.get());
    };
    HEDDLE_CO_TRY(auto started, co_await async::offload(pool_, start));
    const auto executor = co_await asio::this_coro::executor;
    sandbox::ChildProcess child(executor, pool_, std::move(started));
    const auto deadline = async::Deadline::after(config_.wall_time);
    HEDDLE_CO_TRY(std::string tsv,
                  co_await async::with_deadline(deadline, read_all(child, config_.text_bytes_max)));
    const auto patience = async::Deadline::after(std::chrono::seconds(2));
    HEDDLE_CO_TRY(const sandbox::ExitStatus ended,
                  co_await async::with_deadline(patience, child.wait()));
    if (ended.signalled || ended.code != 0) {
        co_return fail(ErrorCode::kUnavailable,
                       "text recognition failed; are Tesseract and its languages installed?");
    }
    co_return tsv;
}

}  // namespace heddle::ingest::ocr
