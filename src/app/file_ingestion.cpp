#include "app/file_ingestion.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "app/progress_bar.h"
#include "async/offload.h"
#include "ingest/formats.h"

namespace heddle::app {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::string bar(const service::Progress& progress) {
    const double share = progress.total == 0 ? 0.0
                                             : static_cast<double>(progress.done) /
                                                   static_cast<double>(progress.total);
    return fmt::format("{} {}/{}", progress_bar(share), progress.done, progress.total);
}

// By the file's extension; what is unknown is offered as PDF, and refused by its bytes.
std::string content_type_of(const std::filesystem::path& path) {
    const ingest::Format* format = ingest::find_format_of_file(path.filename().string());
    return format == nullptr ? "application/pdf" : std::string(format->content_type);
}

async::Task<Result<service::DocumentInfo>> upload_file(House& house, std::string owner,
                                                       std::string collection, std::string path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) co_return fail(ErrorCode::kNotFound, "the file cannot be read");
    service::UploadRequest request;
    request.owner = std::move(owner);
    request.collection = std::move(collection);
    request.name = std::filesystem::path(path).filename().string();
    request.content_type = content_type_of(path);
    HEDDLE_CO_TRY(auto upload, co_await house.documents->upload(std::move(request)));
    for (;;) {
        const auto read = [&] {
            std::string piece(kPieceBytes, '\0');
            file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
            piece.resize(static_cast<std::size_t>(file.gcount()));
            return piece;
        };
        std::string piece = co_await async::offload(house.runtime->workers(), read);
        if (piece.empty()) break;
        HEDDLE_CO_TRY_VOID(co_await upload->write(std::move(piece)));
    }
    HEDDLE_CO_TRY(service::UploadOutcome outcome, co_await upload->finish());
    co_return std::move(outcome.document);
}

}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::show(const std::string& text) {
    if (!terminal_) return;
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    drawn_ = true;
}

void ProgressLine::keep(const std::string& text) {
    std::fprintf(stderr, "%s%s\n", drawn_ ? "\r\033[K" : "", text.c_str());
    drawn_ = false;
}

async::Task<Result<service::DocumentInfo>> ingest_file(House& house, std::string owner,
                                                       std::string collection, std::string path,
                                                       ProgressLine& progress) {
    const std::string name = std::filesystem::path(path).filename().string();
    progress.show(fmt::format("{}: storing", name));
    auto uploaded = co_await upload_file(house, owner, std::move(collection), path);
    if (!uploaded) co_return fail(std::move(uploaded).error().with_context(path));
    HEDDLE_CO_TRY(const auto watch, co_await house.documents->watch(owner, uploaded->id));
    service::DocumentInfo document = std::move(*uploaded);
    for (;;) {
        HEDDLE_CO_TRY(std::optional<service::DocumentInfo> next, co_await watch->next());
        if (!next) break;
        document = std::move(*next);
        progress.show(
            fmt::format("{}: {} {}", name, to_string(document.state), bar(document.progress)));
    }
    if (document.state == service::DocumentState::kFailed)
        co_return fail(ErrorCode::kCorrupt, fmt::format("{}: {}", path, document.error));
    co_return document;
}

void accept_all_files(Config& config) {
    config.upload_types.clear();
    for (const ingest::Format& format : ingest::formats())
        config.upload_types.emplace_back(format.name);
}

}  // namespace heddle::app
