// A library of documents with everything it stands on, in one folder. Opened again on the same
// folder it goes on where it was, as a server does.
#pragma once

#include <memory>
#include <string>

#include "async/runtime.h"
#include "base/check.h"
#include "ingest/parser_testing.h"
#include "jobs/schema.h"
#include "jobs/worker.h"
#include "search/word_embedder_testing.h"
#include "service/document_library.h"
#include "storage/local_folder.h"

namespace heddle::service {

class DocumentHouse {
public:
    struct Options {
        std::shared_ptr<search::Embedder> embedder = std::make_shared<search::WordEmbedder>();
        DocumentConfig config;
        bool work = true;  // runs jobs
    };

    DocumentHouse(const std::string& folder, Options options)
        : parser_(ingest::testing_parser_config(), runtime_.workers()),
          painter_(ingest::testing_parser_config(), {}, runtime_.workers()) {
        auto db = storage::Database::open({.location = folder + "/heddle.db"});
        HEDDLE_CHECK(db.has_value(), "the test's database opens");
        db_ = std::move(*db);
        HEDDLE_CHECK(db_->migrate(jobs::job_schema()).has_value(), "the queue's tables");
        queue_ = std::make_unique<jobs::JobQueue>(*db_);
        HEDDLE_CHECK(queue_->recover_blocking().has_value(), "leases are taken back");
        auto collections = search::Collections::open(*db_);
        HEDDLE_CHECK(collections.has_value(), "the test's collections open");
        collections_ = std::move(*collections);
        auto uploads = storage::open_local_folder(folder + "/uploads");
        HEDDLE_CHECK(uploads.has_value(), "the test's folder opens");
        blobs_ = std::make_unique<storage::BlobStore>(
            std::shared_ptr<storage::Folder>(std::move(*uploads)), runtime_.workers());
        embedder_ = options.embedder;
        auto library = DocumentLibrary::open({.db = *db_,
                                              .blobs = *blobs_,
                                              .queue = *queue_,
                                              .collections = *collections_,
                                              .parser = parser_,
                                              .painter = painter_,
                                              .pool = runtime_.workers(),
                                              .embedder = embedder_},
                                             std::move(options.config));
        HEDDLE_CHECK(library.has_value(), "the library opens");
        library_ = std::move(*library);
        if (options.work) runtime_.run(start_worker());
    }
    ~DocumentHouse() {
        if (worker_) runtime_.run(stop_worker());
        runtime_.stop();
    }
    DocumentHouse(const DocumentHouse&) = delete;
    DocumentHouse& operator=(const DocumentHouse&) = delete;

    Result<UploadOutcome> upload(const std::string& owner, const std::string& name,
                                 const std::string& bytes,
                                 const std::string& type = "application/pdf") {
        return runtime_.run(upload_all(owner, name, bytes, type));
    }
    // Waits until the document is ready or failed.
    Result<DocumentInfo> finished(const std::string& owner, const std::string& id) {
        return runtime_.run(follow(owner, id));
    }
    // The ids of the documents that the question finds.
    std::vector<std::string> find(const std::string& owner, const std::string& question) {
        const auto words = static_cast<search::WordEmbedder&>(*embedder_).vector(question);
        search::VectorQuery query{.owner = owner,
                                  .collection = "knowledgebase",
                                  .text = question,
                                  .vector = words,
                                  .limit = 20};
        const auto passages = runtime_.run(collections_->search(query));
        std::vector<std::string> ids;
        if (!passages) return ids;
        for (const search::Passage& passage : *passages) ids.push_back(passage.chunk.document);
        return ids;
    }
    std::int64_t count(const std::string& sql) {
        const auto fn = [&](storage::Session& session) { return session.number(sql); };
        return db_->read_blocking(fn).value();
    }

    [[nodiscard]] async::Runtime& runtime() { return runtime_; }
    [[nodiscard]] search::Collections& collections() { return *collections_; }
    [[nodiscard]] DocumentLibrary& library() { return *library_; }
    [[nodiscard]] jobs::JobQueue& queue() { return *queue_; }
    [[nodiscard]] storage::Database& database() { return *db_; }

private:
    async::Task<> start_worker() {
        jobs::WorkerOptions options;
        options.lanes = {{.queue = kIngestQueue, .count = 2}};
        options.retry.first = std::chrono::milliseconds(1);
        const auto executor = co_await async::asio::this_coro::executor;
        worker_ = std::make_unique<jobs::Worker>(*queue_, executor, options);
        worker_->handle(kIngestKind, library_->ingest_handler());
        worker_->start();
    }
    async::Task<> stop_worker() {
        co_await worker_->stop(std::chrono::milliseconds(0));
        worker_.reset();
    }
    async::Task<Result<UploadOutcome>> upload_all(std::string owner, std::string name,
                                                  std::string bytes, std::string type) {
        UploadRequest request{.owner = owner, .name = name, .content_type = type};
        HEDDLE_CO_TRY(auto upload, co_await library_->upload(std::move(request)));
        constexpr std::size_t kPiece = 700;
        for (std::size_t at = 0; at < bytes.size(); at += kPiece)
            HEDDLE_CO_TRY_VOID(co_await upload->write(bytes.substr(at, kPiece)));
        co_return co_await upload->finish();
    }
    async::Task<Result<DocumentInfo>> follow(std::string owner, std::string id) {
        HEDDLE_CO_TRY(auto watch, co_await library_->watch(owner, id));
        DocumentInfo last;
        for (;;) {
            HEDDLE_CO_TRY(auto next, co_await watch->next());
            if (!next) co_return last;
            last = std::move(*next);
        }
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    ingest::Parser parser_;
    ingest::PagePainter painter_;
    std::unique_ptr<storage::Database> db_;
    std::unique_ptr<jobs::JobQueue> queue_;
    std::unique_ptr<search::Collections> collections_;
    std::unique_ptr<storage::BlobStore> blobs_;
    std::shared_ptr<search::Embedder> embedder_;
    std::unique_ptr<DocumentLibrary> library_;
    std::unique_ptr<jobs::Worker> worker_;
};

}  // namespace heddle::service
