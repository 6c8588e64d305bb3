#include "service/document_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "ingest/clean.h"
#include "service/document_ingest.h"
#include "service/document_upload.h"
#include "text/utf8.h"

namespace heddle::service {
namespace {

using storage::Session;
using storage::Transaction;

constexpr std::size_t kNameBytesMax = 500;
constexpr std::chrono::milliseconds kLookAgain{2000};

Error not_found() {
    return {ErrorCode::kNotFound, "there is no such document"};
}

// A client's name as it is shown: one line of well-formed text. Never a path.
std::string shown_name(std::string_view name) {
    std::string out = ingest::clean_line(text::to_valid_utf8(name));
    out.resize(text::floor_utf8(out, kNameBytesMax));
    return out.empty() ? "untitled" : out;
}

// By the declared type. A client that declares nothing of use lets the file's name decide, and so
// does plain text that may be Markdown or a table; PDF has to be declared. Null when not accepted.
const ingest::Format* accepted_format(const UploadRequest& request,
                                      const std::vector<std::string>& formats) {
    const auto accepted = [&](const ingest::Format* format) {
        return format != nullptr &&
               std::find(formats.begin(), formats.end(), format->name) != formats.end();
    };
    const ingest::Format* by_type = ingest::find_format_of_type(request.content_type);
    const ingest::Format* by_name = ingest::find_format_of_file(request.name);
    const bool says_nothing =
        request.content_type.empty() || request.content_type == "application/octet-stream";
    const bool text = by_type != nullptr && by_type->name == "text" && by_name != nullptr &&
                      (by_name->name == "markdown" || by_name->name == "csv");
    if ((says_nothing || text) && accepted(by_name) && by_name->name != "pdf") return by_name;
    return accepted(by_type) ? by_type : nullptr;
}

class LibraryFile final : public DocumentFile {
public:
    LibraryFile(DocumentInfo info, storage::Blob blob)
        : info_(std::move(info)), blob_(std::move(blob)) {}
    [[nodiscard]] const DocumentInfo& document() const override { return info_; }
    async::Task<Result<std::string>> read(std::uint64_t offset, std::size_t bytes) override {
        return blob_.read(offset, bytes);
    }

private:
    const DocumentInfo info_;
    const storage::Blob blob_;
};

}  // namespace

class LibraryWatch final : public DocumentWatch {
public:
    LibraryWatch(DocumentLibrary& library, std::string owner, std::string id)
        : library_(library),
          owner_(std::move(owner)),
          id_(std::move(id)),
          changes_(library.activity_->subscribe(id_)) {}

    async::Task<Result<std::optional<DocumentInfo>>> next() override {
        while (!over_) {
            Result<DocumentInfo> info = co_await library_.get(owner_, id_);
            if (!info) {
                over_ = true;
                if (seen_ && info.error().code() == ErrorCode::kNotFound) break;
                co_return fail(info.error());
            }
            over_ = is_final(info->state);
            if (!seen_ || differs(*info)) {
                seen_ = std::move(*info);
                co_return seen_;
            }
            // Another process may be at work on it, so not only at a call.
            if (!over_) co_await changes_->changed_within(kLookAgain);
        }
        co_return std::nullopt;
    }

private:
    [[nodiscard]] bool differs(const DocumentInfo& info) const {
        return info.state != seen_->state || info.updated_ms != seen_->updated_ms ||
               info.progress.done != seen_->progress.done ||
               info.progress.total != seen_->progress.total;
    }

    DocumentLibrary& library_;
    const std::string owner_;
    const std::string id_;
    const std::unique_ptr<jobs::Broadcast::Subscription> changes_;
    std::optional<DocumentInfo> seen_;
    bool over_ = false;
};

jobs::NewJob ingest_job(const std::string& owner, const std::string& document) {
    jobs::NewJob job;
    job.queue = kIngestQueue;
    job.kind = kIngestKind;
    job.owner = owner;
    job.payload = fmt::format(R"({{"document":"{}"}})", document);
    return job;
}

Result<> erase_document(Transaction& tx, const DocumentParts& parts,
                        const std::shared_ptr<DocumentActivity>& activity, const DocumentRow& row) {
    const std::string& id = row.info.id;
    const auto cancelled = parts.queue.cancel(tx, row.owner, row.job);
    // Jobs that ended long ago are not kept.
    if (!cancelled && cancelled.error().code() != ErrorCode::kNotFound)
        return fail(cancelled.error());
    const auto erased = parts.collections.delete_document(tx, row.owner, row.info.collection, id);
    if (!erased && erased.error().code() != ErrorCode::kNotFound) return fail(erased.error());
    HEDDLE_TRY_VOID(delete_row(tx, row.owner, id));
    tx.after_commit([activity, id] { activity->changed(id, /*over=*/true); });
    return {};
}

DocumentLibrary::DocumentLibrary(DocumentParts parts, DocumentConfig config)
    : parts_(std::move(parts)),
      config_(std::move(config)),
      handler_(std::make_unique<IngestHandler>(parts_, config_, activity_)) {}

DocumentLibrary::~DocumentLibrary() = default;

Result<std::unique_ptr<DocumentLibrary>> DocumentLibrary::open(DocumentParts parts,
                                                               DocumentConfig config) {
    HEDDLE_TRY_VOID(parts.db.migrate(document_schema()));
    std::unique_ptr<DocumentLibrary> library(
        new DocumentLibrary(std::move(parts), std::move(config)));
    HEDDLE_TRY_VOID(library->sweep_files());
    return library;
}

Result<> DocumentLibrary::sweep_files() {
    bool readable = true;
    const auto wanted = [&](std::string_view blob) {
        const auto fn = [&](Session& session) { return is_blob_used(session, blob); };
        const Result<bool> used = parts_.db.read_blocking(fn);
        readable = readable && used;
        return !used || *used;
    };
    HEDDLE_TRY(const std::size_t removed, parts_.blobs.sweep_blocking(wanted));
    if (removed > 0)
        log::info("documents", "removed files of unfinished uploads", {{"files", removed}});
    if (!readable) return fail(ErrorCode::kIo, "the documents could not be listed");
    return {};
}

async::Task<Result<std::unique_ptr<Upload>>> DocumentLibrary::upload(UploadRequest request) {
    const ingest::Format* format = accepted_format(request, config_.formats);
    if (format == nullptr) co_return fail(wrong_type(config_.formats));
    if (!parts_.embedder)
        co_return fail(
            Error(ErrorCode::kUnavailable, "no embedding model is installed; see `heddle doctor`")
                .with_reason("no_embedder"));
    request.name = shown_name(request.name);
    HEDDLE_CO_TRY_VOID(co_await parts_.collections.ensure(request.owner, request.collection,
                                                          parts_.embedder->info()));
    HEDDLE_CO_TRY(storage::BlobWriter writer,
                  co_await parts_.blobs.create(config_.upload_bytes_max));
    co_return std::make_unique<DocumentUpload>(*this, std::move(request), *format,
                                               std::move(writer));
}

async::Task<Result<std::vector<DocumentInfo>>> DocumentLibrary::list(std::string owner,
                                                                     DocumentQuery query) {
    const auto fn = [&](Session& session) { return list_rows(session, owner, query); };
    HEDDLE_CO_TRY(std::vector<DocumentRow> rows, co_await parts_.db.read(fn));
    std::vector<DocumentInfo> infos;
    for (DocumentRow& row : rows) {
        HEDDLE_CO_TRY(DocumentInfo info, co_await settled(std::move(row)));
        infos.push_back(std::move(info));
    }
    co_return infos;
}

async::Task<Result<DocumentRow>> DocumentLibrary::row_of(std::string owner, std::string id) {
    const auto fn = [&](Session& session) { return find_row(session, owner, id); };
    HEDDLE_CO_TRY(std::optional<DocumentRow> row, co_await parts_.db.read(fn));
    if (!row) co_return fail(not_found());
    co_return std::move(*row);
}

async::Task<Result<DocumentInfo>> DocumentLibrary::get(std::string owner, std::string id) {
    HEDDLE_CO_TRY(DocumentRow row, co_await row_of(std::move(owner), std::move(id)));
    co_return co_await settled(std::move(row));
}

async::Task<Result<DocumentInfo>> DocumentLibrary::settled(DocumentRow row) {
    row.info.progress = activity_->progress_of(row.info.id);
    if (is_final(row.info.state)) {
        row.info.progress = {};
        co_return std::move(row.info);
    }
    const Result<jobs::Job> job = co_await parts_.queue.get(row.owner, row.job);
    const bool gone = !job && job.error().code() == ErrorCode::kNotFound;
    const bool ended =
        job && jobs::is_final(job->state) && job->state != jobs::JobState::kSucceeded;
    if (!gone && !ended) co_return std::move(row.info);
    // Read again inside the transaction: the job's last act may have been to finish the document.
    const auto fail_it = [&](Transaction& tx) -> Result<std::optional<DocumentRow>> {
        HEDDLE_TRY(auto now, find_row(tx, row.owner, row.info.id));
        if (!now || is_final(now->info.state) || now->job != row.job) return now;
        HEDDLE_TRY_VOID(set_failed(tx, row.owner, row.info.id,
                                   "reading the document was given up after repeated crashes",
                                   /*retryable=*/true));
        return find_row(tx, row.owner, row.info.id);
    };
    HEDDLE_CO_TRY(auto now, co_await parts_.db.write(fail_it));
    if (!now) co_return fail(not_found());
    co_return std::move(now->info);
}

async::Task<Result<>> DocumentLibrary::remove(std::string owner, std::string id) {
    std::string blob;
    const auto fn = [&](Transaction& tx) -> Result<> {
        HEDDLE_TRY(const auto row, find_row(tx, owner, id));
        if (!row) return fail(not_found());
        blob = row->blob;
        return erase_document(tx, parts_, activity_, *row);
    };
    HEDDLE_CO_TRY_VOID(co_await parts_.db.write(fn));
    co_return co_await parts_.blobs.remove(blob);
}

async::Task<Result<std::unique_ptr<DocumentWatch>>> DocumentLibrary::watch(std::string owner,
                                                                           std::string id) {
    auto watch = std::make_unique<LibraryWatch>(*this, owner, id);
    HEDDLE_CO_TRY_VOID(co_await row_of(std::move(owner), std::move(id)));
    co_return watch;
}

async::Task<Result<std::unique_ptr<DocumentFile>>> DocumentLibrary::open_file(std::string owner,
                                                                              std::string id) {
    HEDDLE_CO_TRY(DocumentRow row, co_await row_of(std::move(owner), std::move(id)));
    HEDDLE_CO_TRY(storage::Blob blob, co_await parts_.blobs.open(row.blob));
    co_return std::make_unique<LibraryFile>(std::move(row.info), std::move(blob));
}

}  // namespace heddle::service
