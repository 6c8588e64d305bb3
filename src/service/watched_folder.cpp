#include "service/watched_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "async/offload.h"
#include "base/log.h"
#include "ingest/formats.h"
#include "storage/migrations.h"
#include "storage/unique_fd.h"

namespace heddle::service {
namespace {

namespace asio = async::asio;
namespace fs = std::filesystem;
using storage::UniqueFd;

constexpr std::size_t kPieceBytes = 1U << 20;
constexpr std::size_t kDocumentsBytesMax = 26 * 16 + 15;  // ids of sixteen versions
constexpr std::size_t kFoldersMax = 1'000;                // told of by the kernel
constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR;

const storage::Schema kSchema{"watched_folder", {{.sql = R"(
    CREATE TABLE watched_files (
        folder TEXT NOT NULL,
        path TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        modified_ns BIGINT NOT NULL,
        documents TEXT NOT NULL,
        PRIMARY KEY (folder, path)
    );)"}}};

Error unreadable() {
    return Error(ErrorCode::kIo, "the watched folder cannot be read");
}

}  // namespace

// One that can be read, by its path below the folder.
struct WatchedFolder::File {
    std::string path;
    std::int64_t bytes = 0;
    std::int64_t modified_ns = 0;
    std::string content_type;
};

struct WatchedFolder::Row {
    std::string path;
    std::int64_t bytes = 0;
    std::int64_t modified_ns = 0;
    // Ids, parted by commas: the file's document, and before it is ready those it replaces. Empty
    // for a file that was refused.
    std::string documents;
};

struct WatchedFolder::Listing {
    std::vector<File> files;
    bool too_many = false;
};

WatchedFolder::WatchedFolder(storage::Database& db, Documents& documents, async::WorkerPool& pool,
                             WatchOptions options)
    : db_(db), documents_(documents), pool_(pool), options_(std::move(options)) {}

WatchedFolder::~WatchedFolder() = default;

Result<std::unique_ptr<WatchedFolder>> WatchedFolder::open(storage::Database& db,
                                                           Documents& documents,
                                                           async::WorkerPool& pool,
                                                           WatchOptions options) {
    std::error_code ec;
    if (!fs::is_directory(options.folder, ec))
        return fail(Error(ErrorCode::kInvalidArgument, "the folder to be watched is not there")
                        .with_param("watch"));
    HEDDLE_TRY_VOID(db.migrate(kSchema));
    return std::unique_ptr<WatchedFolder>(
        new WatchedFolder(db, documents, pool, std::move(options)));
}

// Links are not followed: a folder must not lead out of itself, or around in a circle.
Result<WatchedFolder::Listing> WatchedFolder::list_blocking() const {
    Listing listing;
    std::size_t followed = 0;
    // Following a folder again is free.
    const auto follow = [&](const std::string& folder) {
        if (notices_.get() >= 0 && followed++ < kFoldersMax)
            inotify_add_watch(notices_.get(), folder.c_str(), kChanges);
    };
    follow(options_.folder);
    std::error_code ec;
    fs::recursive_directory_iterator at(options_.folder,
                                        fs::directory_options::skip_permission_denied, ec);
    if (ec) return fail(unreadable());
    for (; at != fs::recursive_directory_iterator(); at.increment(ec)) {
        if (ec) return fail(unreadable());
        struct stat status{};
        const std::string path = at->path().string();
        const bool hidden = at->path().filename().string().starts_with('.');
        if (hidden || lstat(path.c_str(), &status) != 0) {
            at.disable_recursion_pending();
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            if (at.depth() + 1 >= options_.depth_max) at.disable_recursion_pending();
            follow(path);
            continue;
        }
        const ingest::Format* format = ingest::find_format_of_file(path);
        const auto& wanted = options_.formats;
        const bool readable = S_ISREG(status.st_mode) && format != nullptr &&
                              std::find(wanted.begin(), wanted.end(), format->name) != wanted.end();
        if (!readable) continue;
        if (listing.files.size() == options_.files_max) {
            listing.too_many = true;
            break;
        }
        listing.files.push_back(
            {.path = path.substr(options_.folder.size() + 1),
             .bytes = status.st_size,
             .modified_ns =
                 std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
             .content_type = std::string(format->content_type)});
    }
    if (ec) return fail(unreadable());
    return listing;
}

async::Task<Result<std::vector<WatchedFolder::Row>>> WatchedFolder::known_rows() {
    const auto read = [this](storage::Session& session) {
        return session.select(
            "SELECT path, bytes, modified_ns, documents FROM watched_files WHERE folder = ?",
            [](const storage::Row& row) {
                return Row{row.string(0), row.integer(1), row.integer(2), row.string(3)};
            },
            options_.folder);
    };
    co_return co_await db_.read(read);
}

async::Task<Result<ScanReport>> WatchedFolder::scan() {
    const auto list = [this] { return list_blocking(); };
    HEDDLE_CO_TRY(const Listing listing, co_await async::offload(pool_, list));
    HEDDLE_CO_TRY(std::vector<Row> rows, co_await known_rows());
    std::unordered_map<std::string, Row> known;
    for (Row& row : rows) known.emplace(row.path, std::move(row));
    ScanReport report{.files = listing.files.size(), .too_many = listing.too_many};
    for (const File& file : listing.files) {
        const auto found = known.find(file.path);
        Row before;
        if (found != known.end()) {
            before = std::move(found->second);
            known.erase(found);
            if (before.bytes == file.bytes && before.modified_ns == file.modified_ns) continue;
        }
        HEDDLE_CO_TRY(const bool taken, co_await take(file, std::move(before.documents)));
        ++(taken ? report.added : report.refused);
    }
    // What was left out for being too much is not gone.
    if (listing.too_many) co_return report;
    for (auto& [path, row] : known) {
        HEDDLE_CO_TRY_VOID(co_await drop(std::move(row)));
        ++report.removed;
    }
    co_return report;
}

// False when the file was refused, which is remembered until it changes.
async::Task<Result<bool>> WatchedFolder::take(File file, std::string before) {
    const Result<std::string> document = co_await upload(file);
    if (!document) {
        // A full queue or a full disk: to be tried again.
        if (document.error().code() == ErrorCode::kUnavailable ||
            document.error().code() == ErrorCode::kIo)
            co_return fail(document.error());
        log::warn("documents", "a watched file was refused",
                  {{"file", file.path}, {"error", document.error().message()}});
    }
    // The old document stays until the new one is ready, and for good where that fails.
    std::string ids = document.value_or("");
    if (before.find(ids) != std::string::npos) ids.clear();
    if (!ids.empty() && !before.empty()) ids += ',';
    ids += before;
    ids.resize(std::min(ids.size(), kDocumentsBytesMax));
    const auto remember = [&](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM watched_files WHERE folder = ? AND path = ?",
                                   options_.folder, file.path));
        HEDDLE_TRY_VOID(
            tx.execute("INSERT INTO watched_files (folder, path, bytes, modified_ns, documents) "
                       "VALUES (?, ?, ?, ?, ?)",
                       options_.folder, file.path, file.bytes, file.modified_ns, ids));
        return {};
    };
    HEDDLE_CO_TRY_VOID(co_await db_.write(remember));
    co_return document.has_value();
}

async::Task<Result<std::string>> WatchedFolder::upload(File file) {
    const std::string path = options_.folder + "/" + file.path;
    const UniqueFd source(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (source.get() < 0) co_return fail(ErrorCode::kNotFound, "the file cannot be opened");
    HEDDLE_CO_TRY(const auto upload,
                  co_await documents_.upload({.owner = options_.owner,
                                              .collection = options_.collection,
                                              .name = file.path,
                                              .content_type = file.content_type}));
    for (;;) {
        const auto read_piece = [&source] {
            std::string piece(kPieceBytes, '\0');
            const ssize_t bytes = ::read(source.get(), piece.data(), piece.size());
            piece.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
            return piece;
        };
        std::string piece = co_await async::offload(pool_, read_piece);
        if (piece.empty()) break;
        HEDDLE_CO_TRY_VOID(co_await upload->write(std::move(piece)));
    }
    HEDDLE_CO_TRY(const UploadOutcome outcome, co_await upload->finish());
    co_return outcome.document.id;
}

async::Task<Result<>> WatchedFolder::drop(Row row) {
    for (std::string_view rest = row.documents; !rest.empty();) {
        const std::string id(rest.substr(0, rest.find(',')));
        rest.remove_prefix(std::min(id.size() + 1, rest.size()));
        // Two files with the same bytes are one document: it stays while one of them is there.
        const auto others = [&](storage::Session& session) {
            return session.number(
                "SELECT COUNT(*) FROM watched_files WHERE documents LIKE ? AND NOT (folder = ? AND "
                "path = ?)",
                "%" + id + "%", options_.folder, row.path);
        };
        HEDDLE_CO_TRY(const std::int64_t count, co_await db_.read(others));
        if (count > 0) continue;
        const Result<> removed = co_await documents_.remove(options_.owner, id);
        if (!removed && removed.error().code() != ErrorCode::kNotFound)
            co_return fail(removed.error());
    }
    const auto forget = [&](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM watched_files WHERE folder = ? AND path = ?",
                                   options_.folder, row.path));
        return {};
    };
    co_return co_await db_.write(forget);
}

// Returns at a change, and after a while without one.
async::Task<> WatchedFolder::wait_for_change() {
    const auto executor = co_await asio::this_coro::executor;
    const int copy = fcntl(notices_.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        co_await async::sleep_for(options_.look_again);
        co_return;
    }
    asio::posix::stream_descriptor stream(executor, copy);
    const auto read = [](asio::posix::stream_descriptor* from) -> async::Task<Result<>> {
        std::string events(4096, '\0');
        co_await from->async_read_some(asio::buffer(events), asio::as_tuple(asio::use_awaitable));
        co_return Result<>();
    };
    const auto patience = async::Deadline::after(options_.look_again);
    const Result<> told = co_await async::with_deadline(patience, read(&stream));
    if (!told) co_return;
    co_await async::sleep_for(options_.settle);
    std::string events(64U << 10, '\0');
    while (::read(notices_.get(), events.data(), events.size()) > 0) {
    }
}

async::Task<> WatchedFolder::run() {
    notices_ = UniqueFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    for (;;) {
        const Result<ScanReport> report = co_await scan();
        if (!report) {
            log::warn("documents", "a watched folder could not be brought up to date",
                      {{"error", report.error().message()}});
        } else if (report->added + report->removed + report->refused > 0) {
            log::info("documents", "a watched folder has changed",
                      {{"added", report->added},
                       {"removed", report->removed},
                       {"refused", report->refused}});
        }
        co_await wait_for_change();
    }
}

}  // namespace heddle::service
