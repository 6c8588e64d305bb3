// All rooms, built in the order of their dependence and stopped in reverse. Every subcommand that
// does real work makes one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/prometheus_metrics.h"
#include "async/runtime.h"
#include "base/result.h"
#include "fetch/fetcher.h"
#include "http/client.h"
#include "ingest/page_painter.h"
#include "ingest/parser.h"
#include "jobs/job_queue.h"
#include "jobs/worker.h"
#include "search/collections.h"
#include "search/searcher.h"
#include "service/answerer.h"
#include "service/conversation_answers.h"
#include "service/conversations.h"
#include "service/document_library.h"
#include "service/embeddings.h"
#include "service/keys.h"
#include "service/local_embedder.h"
#include "service/local_models.h"
#include "service/local_reranker.h"
#include "service/upstream_generator.h"
#include "service/watched_folder.h"
#include "storage/blob_store.h"
#include "storage/data_folder.h"
#include "storage/database.h"

namespace heddle::app {

// Where the rows of a configuration are.
[[nodiscard]] std::string database_location(const Config& config);
// Makes the data folder when it is absent; does not lock it.
[[nodiscard]] Result<> create_data_folder(const Config& config);

struct DefaultAssets {
    std::string embedder;  // folder; empty when absent
    std::string pdfium;    // library; empty when absent
};
[[nodiscard]] DefaultAssets find_assets(const Config& config);

// Members are in the order of construction. Used from main's thread; the parts are thread-safe as
// their headers say.
class House {
public:
    // Opens everything; the first failure is the one line that the user sees.
    static Result<std::unique_ptr<House>> open(const Config& config);
    // Jobs are handed back, streams end, files are synced. Blocks.
    ~House();
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    const Config config;
    PrometheusMetrics metrics;
    std::unique_ptr<async::Runtime> runtime;
    std::optional<storage::DataFolder> folder;
    std::unique_ptr<storage::Database> database;
    std::shared_ptr<service::Keys> keys;
    std::unique_ptr<storage::BlobStore> blobs;
    std::unique_ptr<jobs::JobQueue> queue;
    std::shared_ptr<service::LocalEmbedder> embedder;  // null without one
    std::shared_ptr<service::LocalModels> models;
    std::shared_ptr<service::LocalReranker> reranker;  // null without one
    std::unique_ptr<search::Collections> collections;
    std::unique_ptr<search::Searcher> searcher;  // null without embedder
    std::unique_ptr<ingest::Parser> parser;
    std::unique_ptr<ingest::PagePainter> painter;
    std::unique_ptr<ingest::ocr::PageRecogniser> recogniser;  // null without --ocr
    std::shared_ptr<service::DocumentLibrary> documents;
    std::vector<std::unique_ptr<service::WatchedFolder>> watched;
    std::shared_ptr<service::Embeddings> embeddings;
    std::shared_ptr<http::Client> client;  // to upstreams
    std::vector<std::shared_ptr<service::UpstreamGenerator>> upstreams;
    std::unique_ptr<fetch::Fetcher> fetcher;  // null when pages are not opened
    std::shared_ptr<service::Answerer> answerer;
    std::shared_ptr<service::Conversations> conversations;
    std::shared_ptr<service::ConversationAnswers> conversation_answers;

    // Runs queued jobs from now on.
    void start_workers();

private:
    explicit House(const Config& given);

    Result<> open_store();
    Result<> open_models();
    Result<> open_documents();
    Result<> open_fetcher();
    Result<> open_answers();
    Result<> open_conversations();
    Result<> open_upstreams(std::vector<std::shared_ptr<service::Generator>>& generators);
    [[nodiscard]] service::GroundingSources grounding_sources();
    static async::Task<> refresh_keys(House* house);
    static async::Task<> refresh_models(House* house);

    struct Background;
    std::unique_ptr<Background> background_;
};

}  // namespace heddle::app
