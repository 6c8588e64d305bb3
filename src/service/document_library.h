// Documents over the store, the queue, the search collections and the sandboxed parser.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "ingest/chunker.h"
#include "ingest/ocr/page_recogniser.h"
#include "ingest/page_painter.h"
#include "ingest/parser.h"
#include "jobs/worker.h"
#include "search/collections.h"
#include "search/embedder.h"
#include "service/document_activity.h"
#include "service/document_rows.h"
#include "service/documents.h"
#include "storage/blob_store.h"
#include "storage/database.h"

namespace heddle::service {

struct DocumentConfig {
    std::uint64_t upload_bytes_max = std::uint64_t{50} << 20;
    std::vector<std::string> formats = {"pdf"};  // names of ingest::formats() that are accepted
    ingest::ChunkerConfig chunker;
    std::size_t embed_batch = 32;  // chunks handed to the embedder at once
};

// What the library is built on; all of it outlives the library. `blobs` holds nothing else.
struct DocumentParts {
    storage::Database& db;
    storage::BlobStore& blobs;
    jobs::JobQueue& queue;
    search::Collections& collections;
    ingest::Parser& parser;
    ingest::PagePainter& painter;
    async::WorkerPool& pool;
    std::shared_ptr<search::Embedder> embedder;         // null: uploads are refused
    ingest::ocr::PageRecogniser* recogniser = nullptr;  // for pages that are pictures; null: none
};

inline constexpr const char* kIngestQueue = "ingest";
inline constexpr const char* kIngestKind = "ingest";

// Thread-safe.
class DocumentLibrary final : public Documents {
public:
    // Brings the table up to date and removes the files that a crash has left without a document.
    // Blocks; before anything is uploaded.
    static Result<std::unique_ptr<DocumentLibrary>> open(DocumentParts parts,
                                                         DocumentConfig config);
    ~DocumentLibrary() override;

    async::Task<Result<std::unique_ptr<Upload>>> upload(UploadRequest request) override;
    async::Task<Result<std::vector<DocumentInfo>>> list(std::string owner,
                                                        DocumentQuery query) override;
    async::Task<Result<DocumentInfo>> get(std::string owner, std::string id) override;
    async::Task<Result<>> remove(std::string owner, std::string id) override;
    async::Task<Result<std::unique_ptr<DocumentWatch>>> watch(std::string owner,
                                                              std::string id) override;
    async::Task<Result<std::unique_ptr<DocumentFile>>> open_file(std::string owner,
                                                                 std::string id) override;
    async::Task<Result<std::string>> page_picture(std::string owner, std::string id,
                                                  PictureRequest request) override;
    async::Task<Result<std::vector<ChunkInfo>>> chunks(std::string owner, std::string id,
                                                       std::size_t first,
                                                       std::size_t limit) override;

    // For worker.handle(kIngestKind, …).
    [[nodiscard]] jobs::JobHandler& ingest_handler() { return *handler_; }

private:
    friend class DocumentUpload;
    friend class LibraryWatch;

    DocumentLibrary(DocumentParts parts, DocumentConfig config);
    Result<> sweep_files();
    // The row with its progress; a job that ended without its document's knowledge (its workers
    // kept dying) makes the document failed.
    async::Task<Result<DocumentInfo>> settled(DocumentRow row);
    async::Task<Result<DocumentRow>> row_of(std::string owner, std::string id);
    // Where the request's chunk stands on its page.
    async::Task<Result<std::vector<ingest::Box>>> marked_boxes(std::string owner, DocumentRow row,
                                                               PictureRequest request);

    const DocumentParts parts_;
    const DocumentConfig config_;
    const std::shared_ptr<DocumentActivity> activity_ = std::make_shared<DocumentActivity>();
    const std::unique_ptr<jobs::JobHandler> handler_;
};

// In the caller's transaction: the row, its passages and its job. The blob is removed by whoever
// calls, after the commit.
Result<> erase_document(storage::Transaction& tx, const DocumentParts& parts,
                        const std::shared_ptr<DocumentActivity>& activity, const DocumentRow& row);

// The job that reads a document.
[[nodiscard]] jobs::NewJob ingest_job(const std::string& owner, const std::string& document);

}  // namespace heddle::service
