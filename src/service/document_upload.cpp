#include "service/document_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/ids.h"

namespace heddle::service {

Error wrong_type(const std::vector<std::string>& formats) {
    std::string names;
    for (const std::string& format : formats) {
        if (!names.empty()) names += ", ";
        for (const char c : format)
            names += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("Only uploading {} documents are supported", names))
        .with_param("file");
}

async::Task<Result<>> DocumentUpload::write(std::string bytes) {
    if (!head_checked_) {
        head_ += bytes.substr(0, ingest::kHeadBytes - head_.size());
        if (head_.size() == ingest::kHeadBytes) HEDDLE_CO_TRY_VOID(check_head());
    }
    co_return co_await writer_.write(std::move(bytes));
}

Result<> DocumentUpload::check_head() {
    head_checked_ = true;
    if (format_.recognises(head_)) return {};
    return fail(wrong_type(library_.config_.formats));
}

async::Task<Result<UploadOutcome>> DocumentUpload::finish() {
    if (!head_checked_) HEDDLE_CO_TRY_VOID(check_head());
    HEDDLE_CO_TRY(const storage::BlobInfo blob, co_await writer_.commit());
    const auto fn = [&](storage::Transaction& tx) { return decide(tx, blob); };
    Result<Decision> decision = co_await library_.parts_.db.write(fn);
    const bool blob_used = decision && decision->blob_used;
    if (!blob_used) HEDDLE_CO_TRY_VOID(co_await library_.parts_.blobs.remove(blob.id));
    if (!decision) co_return fail(decision.error());
    for (const std::string& dead : decision->dead_blobs)
        HEDDLE_CO_TRY_VOID(co_await library_.parts_.blobs.remove(dead));
    library_.activity_->changed(decision->row.info.id, /*over=*/false);
    UploadOutcome outcome{.document = std::move(decision->row.info),
                          .existing = decision->existing};
    co_return outcome;
}

Result<DocumentUpload::Decision> DocumentUpload::decide(storage::Transaction& tx,
                                                        const storage::BlobInfo& blob) {
    HEDDLE_TRY(auto same, find_same_bytes(tx, request_.owner, request_.collection, blob.sha256));
    if (same) return take_existing(tx, std::move(*same));
    return add(tx, blob);
}

Result<DocumentUpload::Decision> DocumentUpload::add(storage::Transaction& tx,
                                                     const storage::BlobInfo& blob) {
    Decision decision{.blob_used = true};
    DocumentRow& row = decision.row;
    row.owner = request_.owner;
    row.format = format_.name;
    row.blob = blob.id;
    DocumentInfo& info = row.info;
    info.id = new_id();
    info.collection = request_.collection;
    info.name = request_.name;
    info.title = request_.name;
    info.content_type = format_.content_type;
    info.bytes = blob.size;
    info.sha256 = blob.sha256;
    HEDDLE_TRY(info.created_ms, tx.now_ms());
    info.updated_ms = info.created_ms;
    HEDDLE_TRY(const jobs::Enqueued job,
               library_.parts_.queue.enqueue(tx, ingest_job(row.owner, info.id)));
    row.job = job.job.id;
    HEDDLE_TRY_VOID(insert_row(tx, row));
    return decision;
}

// The same bytes again: what there is stays, and what failed is tried again. Uploads of this name
// that still wait to replace it are older than this one and give way.
Result<DocumentUpload::Decision> DocumentUpload::take_existing(storage::Transaction& tx,
                                                               DocumentRow row) {
    Decision decision{.existing = true};
    if (row.info.name == request_.name) {
        HEDDLE_TRY(const auto namesakes, find_namesakes(tx, row));
        for (const DocumentRow& other : namesakes) {
            if (other.info.id < row.info.id) continue;
            HEDDLE_TRY_VOID(erase_document(tx, library_.parts_, library_.activity_, other));
            decision.dead_blobs.push_back(other.blob);
        }
    }
    if (row.info.state == DocumentState::kFailed) {
        HEDDLE_TRY(const jobs::Enqueued job,
                   library_.parts_.queue.enqueue(tx, ingest_job(row.owner, row.info.id)));
        HEDDLE_TRY_VOID(set_queued(tx, row.owner, row.info.id, job.job.id));
        row.job = job.job.id;
        row.info.state = DocumentState::kQueued;
        row.info.error.clear();
        row.info.retryable = false;
    }
    decision.row = std::move(row);
    return decision;
}

}  // namespace heddle::service
