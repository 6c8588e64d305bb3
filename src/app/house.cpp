#include "app/house.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/local_models.h"
#include "app/version.h"
#include "async/task_group.h"
#include "base/log.h"
#include "jobs/schema.h"
#include "search/schema.h"
#include "service/document_texts.h"
#include "service/extractive.h"
#include "service/generators.h"
#include "service/local_generator.h"
#include "service/pages.h"
#include "service/passages.h"
#include "upstream/openai_client.h"

namespace heddle::app {
namespace {

Result<std::string> read_secret(const std::string& path, std::string_view setting) {
    std::ifstream file(path);
    std::string line;
    if (!file || !std::getline(file, line) || line.empty()) {
        return fail(Error(ErrorCode::kInvalidArgument,
                          fmt::format("--{}: {} cannot be read or is empty", setting, path)));
    }
    return line;
}

Result<std::vector<std::string>> read_keys(const std::string& path) {
    std::vector<std::string> keys;
    if (path.empty()) return keys;
    std::ifstream file(path);
    if (!file)
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("--api-key-file: {} cannot be read", path));
    for (std::string line; std::getline(file, line);) {
        const std::size_t end = line.find_last_not_of(" \t\r");
        if (end == std::string::npos || line.front() == '#') continue;
        line.resize(end + 1);
        if (line.size() < 16)
            return fail(ErrorCode::kInvalidArgument,
                        "--api-key-file: a key has at least 16 characters");
        keys.push_back(std::move(line));
    }
    if (keys.empty())
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("--api-key-file: {} holds no key", path));
    return keys;
}

std::uint32_t cores() {
    return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

std::string database_location(const Config& config) {
    return config.store.empty() ? config.data + "/heddle.db" : config.store;
}

Result<> create_data_folder(const Config& config) {
    std::error_code ec;
    std::filesystem::create_directories(config.data, ec);
    if (!ec) return {};
    return fail(ErrorCode::kIo,
                fmt::format("the data folder {} cannot be made: {}", config.data, ec.message()));
}

DefaultAssets find_assets(const Config& config) {
    DefaultAssets assets;
    std::error_code ec;
    const std::filesystem::path share = config.share;
    const auto model = share / "models/all-MiniLM-L6-v2";
    if (std::filesystem::exists(model / "model.safetensors", ec)) assets.embedder = model.string();
    const auto library = share / "lib/libpdfium.so";
    if (std::filesystem::exists(library, ec)) assets.pdfium = library.string();
    return assets;
}

// Tasks of the house itself, on the first I/O thread.
struct House::Background {
    explicit Background(async::Runtime& runtime)
        : tasks(runtime.io(0).get_executor(), "app"), executor(runtime.io(0).get_executor()) {}
    async::TaskGroup tasks;
    async::Executor executor;
    std::unique_ptr<jobs::Worker> worker;
    bool started = false;
};

House::House(const Config& given) : config(given) {}

Result<std::unique_ptr<House>> House::open(const Config& config) {
    auto house = std::unique_ptr<House>(new House(config));
    HEDDLE_TRY_VOID(house->open_store());
    HEDDLE_TRY_VOID(house->open_models());
    HEDDLE_TRY_VOID(house->open_documents());
    HEDDLE_TRY_VOID(house->open_answers());
    HEDDLE_TRY_VOID(house->open_conversations());
    return house;
}

Result<> House::open_store() {
    HEDDLE_TRY_VOID(create_data_folder(config));
    HEDDLE_TRY(const std::vector<std::string> file_keys, read_keys(config.api_key_file));
    const std::uint32_t io = config.io_threads != 0 ? config.io_threads : std::max(1U, cores() / 2);
    const std::uint32_t workers = config.worker_threads != 0 ? config.worker_threads : cores();
    runtime = std::make_unique<async::Runtime>(async::RuntimeOptions{io, std::max(2U, workers)});
    background_ = std::make_unique<Background>(*runtime);
    HEDDLE_TRY(folder, storage::DataFolder::open(config.data));
    HEDDLE_TRY(database, storage::Database::open({.location = database_location(config)},
                                                 Clock::system(), metrics));
    HEDDLE_TRY_VOID(database->migrate(jobs::job_schema()));
    HEDDLE_TRY(keys, service::Keys::open(*database, {}, file_keys));
    HEDDLE_TRY(auto files, folder->folder("blobs"));
    blobs = std::make_unique<storage::BlobStore>(std::move(files), runtime->workers());
    jobs::JobQueueOptions queueing;
    queueing.instance = folder->instance();
    queue = std::make_unique<jobs::JobQueue>(*database, std::move(queueing), metrics);
    HEDDLE_TRY(const std::size_t recovered, queue->recover_blocking());
    if (recovered > 0) log::info("app", "jobs taken back from before", {{"jobs", recovered}});
    return {};
}

Result<> House::open_models() {
    const DefaultAssets assets = find_assets(config);
    const std::string path = config.embedder.empty() ? assets.embedder : config.embedder;
    if (path.empty()) {
        log::warn("app", "no embedding model: documents cannot be searched (see `heddle doctor`)");
    } else {
        service::LocalEmbedderOptions options;
        options.folder = path;
        options.threads = static_cast<int>(cores());
        if (config.score_threshold)
            options.score_threshold = static_cast<float>(*config.score_threshold);
        auto loaded = service::LocalEmbedder::load(options, runtime->workers(), metrics);
        if (!loaded) return fail(std::move(loaded).error().with_context("embedder"));
        embedder = std::move(*loaded);
    }
    if (!config.reranker.empty()) {
        service::LocalRerankerOptions options;
        options.folder = config.reranker;
        options.threads = static_cast<int>(cores());
        auto loaded = service::LocalReranker::load(options, runtime->workers(), metrics);
        if (!loaded) return fail(std::move(loaded).error().with_context("--reranker"));
        reranker = std::move(*loaded);
    }
    HEDDLE_TRY(auto language_models, load_models(config, metrics));
    models = std::make_shared<service::LocalModels>(std::move(language_models), runtime->workers());
    embeddings = std::make_shared<service::Embeddings>(embedder, runtime->workers(),
                                                       service::EmbeddingLimits{});
    HEDDLE_TRY(collections, search::Collections::open(*database));
    if (embedder) searcher = std::make_unique<search::Searcher>(*collections, *embedder);
    return {};
}

Result<> House::open_documents() {
    ingest::ParserConfig parsing;
    parsing.pdfium_library = find_assets(config).pdfium;
    parsing.require_sandbox = config.require_sandbox;
    parsing.processes_max = config.ingest_workers;
    if (parsing.pdfium_library.empty())
        log::warn("app", "no PDF reader: PDF files will fail (see `heddle doctor`)");
    parser = std::make_unique<ingest::Parser>(parsing, runtime->workers());
    painter =
        std::make_unique<ingest::PagePainter>(parsing, ingest::PainterLimits{}, runtime->workers());
    if (!config.ocr.empty()) {
        recogniser = std::make_unique<ingest::ocr::PageRecogniser>(
            ingest::ocr::OcrConfig{.languages = config.ocr}, *painter, runtime->workers());
    }
    service::DocumentConfig documents_config;
    documents_config.upload_bytes_max = config.upload_bytes_max;
    documents_config.formats = config.upload_types;
    auto chunker = ingest::parse_chunker(config.chunker);
    if (!chunker) return fail(std::move(chunker).error().with_context("--chunker"));
    documents_config.chunker = *chunker;
    const service::DocumentParts parts{*database,          *blobs,   *queue,
                                       *collections,       *parser,  *painter,
                                       runtime->workers(), embedder, recogniser.get()};
    HEDDLE_TRY(documents, service::DocumentLibrary::open(parts, documents_config));
    jobs::WorkerOptions options;
    options.lanes = {
        {.queue = service::kIngestQueue, .count = static_cast<int>(config.ingest_workers)}};
    background_->worker =
        std::make_unique<jobs::Worker>(*queue, background_->executor, std::move(options));
    background_->worker->handle(service::kIngestKind, documents->ingest_handler());
    for (const std::string& path : config.watch) {
        service::WatchOptions watch{.folder = path,
                                    .owner = service::local_identity().owner,
                                    .formats = config.upload_types};
        while (watch.folder.size() > 1 && watch.folder.ends_with('/')) watch.folder.pop_back();
        auto opened = service::WatchedFolder::open(*database, *documents, runtime->workers(),
                                                   std::move(watch));
        if (!opened) return fail(std::move(opened).error().with_context("--watch " + path));
        watched.push_back(std::move(*opened));
    }
    return {};
}

void House::start_workers() {
    const auto start = [](House* house) -> async::Task<> {
        house->background_->worker->start();
        house->background_->tasks.spawn(refresh_keys(house));
        house->background_->tasks.spawn(refresh_models(house));
        for (const auto& folder : house->watched) house->background_->tasks.spawn(folder->run());
        co_return;
    };
    runtime->run(start(this));
    background_->started = true;
}

House::~House() {
    if (background_ && background_->started) {
        const auto stop = [](House* house) -> async::Task<> {
            house->background_->tasks.cancel();
            co_await house->background_->worker->stop(std::chrono::seconds(2));
            co_await house->background_->tasks.join();
        };
        runtime->run(stop(this));
    }
    if (runtime) {
        // The worker and its lanes die on their own thread's behalf, before that thread ends.
        const auto drop = [](House* house) -> async::Task<> {
            if (house->conversation_answers) co_await house->conversation_answers->shut_down();
            house->conversation_answers.reset();
            house->background_.reset();
            co_return;
        };
        runtime->run(drop(this));
    }
}

// Keys made or revoked by `heddle keys` are noticed within two seconds.
async::Task<> House::refresh_keys(House* house) {
    for (;;) {
        co_await async::sleep_for(std::chrono::seconds(2));
        static_cast<void>(co_await house->keys->refresh());
    }
}

async::Task<> House::refresh_models(House* house) {
    for (;;) {
        co_await async::sleep_for(std::chrono::seconds(60));
        for (const auto& upstream : house->upstreams)
            static_cast<void>(co_await upstream->refresh());
    }
}

namespace {

// Passages of the owner's documents, with the sections around them where that is wanted.
async::Task<Result<std::vector<service::GroundedText>>> find_texts(
    House& house, std::string owner, std::string question, service::GroundingOptions options) {
    const service::PassageOptions defaults{house.config.passages, std::nullopt};
    const std::string collection = options.collection;
    HEDDLE_CO_TRY(auto hits,
                  co_await service::find_passages(*house.searcher, defaults, owner,
                                                  std::move(question), std::move(options)));
    for (service::GroundedText& hit : hits) {
        const auto document = co_await house.documents->get(owner, hit.source.document);
        if (document) hit.source.retrieved_ms = document->created_ms;
    }
    if (!house.config.widen_passages) co_return hits;
    co_return co_await service::widen_to_sections(*house.collections, std::move(owner), collection,
                                                  std::move(hits), {});
}

}  // namespace

service::GroundingSources House::grounding_sources() {
    service::GroundingSources sources;
    if (searcher) {
        sources.passages = [this](std::string owner, std::string question,
                                  service::GroundingOptions options) {
            return find_texts(*this, std::move(owner), std::move(question), std::move(options));
        };
        sources.whole_document = [this](std::string owner, std::string collection,
                                        service::Source source) {
            return service::read_whole_document(*collections, std::move(owner),
                                                std::move(collection), std::move(source));
        };
    }
    if (fetcher) {
        sources.pages = [this](std::string prompt) {
            return service::fetch_pages(*fetcher, *parser, {.urls_max = config.fetch_urls_max},
                                        std::move(prompt));
        };
        sources.without_addresses = service::without_addresses;
    }
    return sources;
}

Result<> House::open_fetcher() {
    if (!config.fetch || config.fetch_urls_max == 0) return {};
    fetch::FetchOptions options;
    auto allow = fetch::AllowList::parse(config.fetch_allow);
    if (!allow) return fail(std::move(allow).error().with_context("--fetch-allow"));
    options.allow = std::move(*allow);
    options.obey_robots = config.fetch_robots;
    options.urls_max = config.fetch_urls_max;
    options.site_rules = config.site_rules;
    options.user_agent = fmt::format("Heddle/{}", kVersion);
    HEDDLE_TRY(fetch::PageCache cache, fetch::PageCache::open(*database, options.cached_pages_max));
    // A browser takes its time; the answer waits for its sources this long anyway.
    if (!config.render.empty()) options.total_timeout = std::chrono::seconds(14);
    fetcher = std::make_unique<fetch::Fetcher>(options, runtime->workers(), std::move(cache));
    if (config.render.empty()) return {};
    fetch::BrowserOptions browser{.executable = config.render,
                                  .as_root = config.render_as_root,
                                  .user_agent = options.user_agent};
    browser.proxy.allow = options.allow;
    auto created = fetch::Browser::create(std::move(browser), runtime->workers(),
                                          http::system_resolver(), fetch::checked_connector());
    if (!created) return fail(std::move(created).error().with_context("--render"));
    fetcher->use_browser(std::move(*created));
    return {};
}

Result<> House::open_upstreams(std::vector<std::shared_ptr<service::Generator>>& generators) {
    std::string key;
    if (!config.upstream_key_file.empty()) {
        HEDDLE_TRY(key, read_secret(config.upstream_key_file, "upstream-key-file"));
    }
    client = std::make_shared<http::Client>(http::ClientOptions{});
    for (const std::string& url : config.upstreams) {
        upstream::UpstreamOptions options;
        options.base_url = url;
        options.key = key;
        auto api = upstream::OpenAiClient::create(options, client);
        if (!api) return fail(std::move(api).error().with_context("--upstream " + url));
        upstreams.push_back(
            std::make_shared<service::UpstreamGenerator>(*api, config.upstream_model));
        generators.push_back(upstreams.back());
        // One that is not up yet is asked again every minute.
        static_cast<void>(runtime->run(upstreams.back()->refresh()));
    }
    return {};
}

Result<> House::open_answers() {
    std::vector<std::shared_ptr<service::Generator>> generators;
    for (const auto& model : models->all())
        generators.push_back(std::make_shared<service::LocalGenerator>(model, runtime->workers()));
    HEDDLE_TRY_VOID(open_upstreams(generators));
    HEDDLE_TRY_VOID(open_fetcher());
    generators.push_back(std::make_shared<service::ExtractiveGenerator>(
        embedder, runtime->workers(), service::ExtractiveOptions{}));
    answerer = std::make_shared<service::Answerer>(
        std::make_shared<const service::Generators>(std::move(generators)), grounding_sources(),
        runtime->workers(), service::AnswererOptions{}, metrics);
    return {};
}

Result<> House::open_conversations() {
    HEDDLE_TRY(conversations, service::Conversations::open(*database, {}));
    conversation_answers = std::make_shared<service::ConversationAnswers>(
        conversations, answerer, background_->executor, service::ConversationAnswersOptions{});
    return {};
}

}  // namespace heddle::app
