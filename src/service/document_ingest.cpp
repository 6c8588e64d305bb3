#include "service/document_ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/offload.h"
#include "base/log.h"
#include "jobs/retry.h"
#include "service/document_language.h"

namespace heddle::service {

// One attempt at one document.
struct IngestHandler::Work {
    jobs::JobContext& context;
    std::string owner;
    std::string id;
    DocumentRow row;
    ReadingFacts facts;
    std::vector<ingest::Chunk> chunks;
    std::vector<std::vector<float>> vectors;
    std::vector<std::string> dead_blobs;  // of the documents that this one replaces

    // fn(Transaction&) -> Result<bool>, behind the fence of the attempt; kCancelled when there is
    // no such document any more.
    template <class Fn>
    async::Task<Result<>> write(storage::Database& db, Fn fn) {
        const auto fenced = [&](storage::Transaction& tx) -> Result<bool> {
            HEDDLE_TRY_VOID(context.require_lease(tx));
            return fn(tx);
        };
        HEDDLE_CO_TRY(const bool there, co_await db.write(fenced));
        if (!there) co_return fail(ErrorCode::kCancelled, "the document was deleted");
        co_return Result<>();
    }
};

namespace {

constexpr const char* kNoText =
    "no text was found: its pages are pictures, which need text recognition (OCR)";

Error failed(std::string message, const char* reason) {
    return Error(ErrorCode::kCorrupt, std::move(message)).with_reason(reason);
}

// Lines of a chunk as search carries them.
std::string boxes_json(const std::vector<ingest::Line>& lines) {
    std::string json = "[";
    for (const ingest::Line& line : lines) {
        if (json.size() > 1) json += ',';
        json += fmt::format(
            R"({{"page":{},"start":{},"left":{:.1f},"top":{:.1f},"right":{:.1f},"bottom":{:.1f}}})",
            line.page, line.start, line.box.left, line.box.top, line.box.right, line.box.bottom);
    }
    return json + "]";
}

// As much text as a language is told by.
std::string sample_of(const std::vector<ingest::Chunk>& chunks) {
    constexpr std::size_t kEnough = 64U << 10;
    std::string sample;
    for (const ingest::Chunk& chunk : chunks) {
        if (sample.size() >= kEnough) break;
        sample += chunk.text + '\n';
    }
    return sample;
}

bool has_text(const ingest::ParsedDocument& document) {
    if (document.pages.empty()) return !document.blocks.empty();
    return document.pages_without_text().size() < document.pages.size();
}

// Whether this attempt may still be followed by another.
bool will_be_tried_again(const jobs::Job& job, const Error& error) {
    return jobs::is_retryable(error) && job.attempts + 1 < job.attempts_max;
}

}  // namespace

async::Task<Result<std::string>> IngestHandler::run(jobs::JobContext& context) {
    const jobs::Job& job = context.job();
    // The payload is the document's id, written by ingest_job.
    constexpr std::string_view kPrefix = R"({"document":")";
    const std::string_view payload = job.payload;
    if (!payload.starts_with(kPrefix) || payload.size() < kPrefix.size() + 2)
        co_return fail(ErrorCode::kInvalidArgument, "the job names no document");
    Work work{.context = context, .owner = job.owner};
    work.id = payload.substr(kPrefix.size(), payload.size() - kPrefix.size() - 2);
    const Result<> outcome = co_await ingest(work);
    if (!outcome && outcome.error().code() != ErrorCode::kCancelled &&
        outcome.error().reason() != "lease_lost") {
        HEDDLE_CO_TRY_VOID(co_await store_failure(work, outcome.error()));
    }
    activity_->changed(work.id, /*over=*/true);
    if (!outcome) co_return fail(outcome.error());
    co_return std::string("{}");
}

async::Task<Result<>> IngestHandler::ingest(Work& work) {
    const auto find = [&](storage::Session& session) {
        return find_row(session, work.owner, work.id);
    };
    HEDDLE_CO_TRY(auto row, co_await parts_.db.read(find));
    // Deleted before its turn, or finished by an attempt that could not say so any more.
    if (!row || row->info.state == DocumentState::kReady) co_return Result<>();
    work.row = std::move(*row);
    HEDDLE_CO_TRY_VOID(co_await extract(work));
    HEDDLE_CO_TRY_VOID(co_await embed(work));
    co_return co_await publish(work);
}

async::Task<Result<>> IngestHandler::extract(Work& work) {
    const auto begin = [&](storage::Transaction& tx) {
        return set_state(tx, work.owner, work.id, DocumentState::kExtracting);
    };
    HEDDLE_CO_TRY_VOID(co_await work.write(parts_.db, begin));
    show(work, "extracting", {});
    HEDDLE_CO_TRY(const ingest::ParsedDocument parsed, co_await parse(work));
    if (!has_text(parsed)) co_return fail(failed(kNoText, "no_text"));

    const search::EmbedderInfo& embedder = parts_.embedder->info();
    const ingest::EmbedderLimit limit{embedder.tokens_max - embedder.tokens_added};
    auto chunk = [&] {
        const auto count = [this](std::string_view text) {
            return parts_.embedder->count_tokens(text);
        };
        return ingest::chunk_document(parsed, work.row.info.name, config_.chunker, limit, count);
    };
    work.chunks = co_await async::offload(parts_.pool, chunk);
    if (work.chunks.empty()) co_return fail(failed(kNoText, "no_text"));
    work.facts = {.title = parsed.title.empty() ? work.row.info.name : parsed.title,
                  .pages = parsed.pages.size(),
                  .chunks = work.chunks.size(),
                  .pages_without_text = parsed.pages_without_text(),
                  .hidden_characters = parsed.hidden_characters,
                  .warning = language_warning(sample_of(work.chunks), embedder.id)};
    co_return Result<>();
}

async::Task<Result<ingest::ParsedDocument>> IngestHandler::parse(Work& work) {
    HEDDLE_CO_TRY(const storage::Blob blob, co_await parts_.blobs.open(work.row.blob));
    auto on_progress = [this, &work](std::uint32_t done, std::uint32_t total) {
        show(work, "extracting", {done, total});
    };
    if (blob.descriptor() >= 0) {
        HEDDLE_CO_TRY(
            ingest::ParsedDocument parsed,
            co_await parts_.parser.parse(blob.descriptor(), work.row.format, on_progress));
        if (parts_.recogniser != nullptr && work.row.format == "pdf")
            co_await parts_.recogniser->read_pages(parsed, blob.descriptor(), on_progress);
        co_return parsed;
    }
    HEDDLE_CO_TRY(std::string bytes, co_await blob.read(0, blob.size()));
    co_return co_await parts_.parser.parse_bytes(std::move(bytes), work.row.format,
                                                 std::move(on_progress));
}

async::Task<Result<>> IngestHandler::embed(Work& work) {
    const auto begin = [&](storage::Transaction& tx) -> Result<bool> {
        HEDDLE_TRY_VOID(set_facts(tx, work.owner, work.id, work.facts));
        return set_state(tx, work.owner, work.id, DocumentState::kEmbedding);
    };
    HEDDLE_CO_TRY_VOID(co_await work.write(parts_.db, begin));
    const std::size_t total = work.chunks.size();
    show(work, "embedding", {0, total});
    work.vectors.reserve(total);
    while (work.vectors.size() < total) {
        const std::size_t first = work.vectors.size();
        const std::size_t count = std::min(config_.embed_batch, total - first);
        std::vector<std::string> texts;
        for (std::size_t i = first; i < first + count; ++i)
            texts.push_back(work.chunks[i].embedded);
        HEDDLE_CO_TRY(auto vectors, co_await parts_.embedder->embed(
                                        std::move(texts), search::EmbedPurpose::kPassage));
        if (vectors.size() != count)
            co_return fail(ErrorCode::kUpstream, "the embedder gave another number of vectors");
        for (std::vector<float>& vector : vectors) work.vectors.push_back(std::move(vector));
        show(work, "embedding", {work.vectors.size(), total});
    }
    co_return Result<>();
}

async::Task<Result<>> IngestHandler::publish(Work& work) {
    HEDDLE_CO_TRY_VOID(co_await parts_.collections.ensure(work.owner, work.row.info.collection,
                                                          parts_.embedder->info()));
    const auto finish = [&](storage::Transaction& tx) -> Result<bool> {
        HEDDLE_TRY(const auto row, find_row(tx, work.owner, work.id));
        if (!row) return false;
        HEDDLE_TRY_VOID(become_ready(tx, work));
        return true;
    };
    HEDDLE_CO_TRY_VOID(co_await work.write(parts_.db, finish));
    for (const std::string& blob : work.dead_blobs)
        HEDDLE_CO_TRY_VOID(co_await parts_.blobs.remove(blob));
    co_return Result<>();
}

// Passages, state and the end of what it replaces: one transaction, so that nobody ever finds both
// or neither.
Result<> IngestHandler::become_ready(storage::Transaction& tx, Work& work) {
    const DocumentInfo& info = work.row.info;
    search::NewDocument document{.owner = work.owner,
                                 .collection = info.collection,
                                 .document = work.id,
                                 .title = work.facts.title,
                                 .source = info.name};
    for (std::size_t i = 0; i < work.chunks.size(); ++i) {
        const ingest::Chunk& chunk = work.chunks[i];
        document.chunks.push_back({.text = chunk.text,
                                   .heading_path = chunk.heading_path,
                                   .page_start = chunk.page_start,
                                   .page_end = chunk.page_end,
                                   .char_start = chunk.char_start,
                                   .char_end = chunk.char_end,
                                   .boxes = boxes_json(chunk.lines),
                                   .vector = work.vectors[i]});
    }
    HEDDLE_TRY_VOID(parts_.collections.upsert_document(tx, document));
    HEDDLE_TRY_VOID(set_state(tx, work.owner, work.id, DocumentState::kReady));
    work.dead_blobs.clear();
    HEDDLE_TRY(const auto namesakes, find_namesakes(tx, work.row));
    for (const DocumentRow& other : namesakes) {
        // Ids rise: a later upload of this name is still to replace this one.
        if (other.info.id > work.id) continue;
        HEDDLE_TRY_VOID(erase_document(tx, parts_, activity_, other));
        work.dead_blobs.push_back(other.blob);
    }
    return {};
}

async::Task<Result<>> IngestHandler::store_failure(Work& work, const Error& error) {
    const bool again = will_be_tried_again(work.context.job(), error);
    const auto fn = [&](storage::Transaction& tx) -> Result<bool> {
        if (again) return set_state(tx, work.owner, work.id, DocumentState::kQueued);
        return set_failed(tx, work.owner, work.id, error.message(), jobs::is_retryable(error));
    };
    const Result<> stored = co_await work.write(parts_.db, fn);
    if (!again) {
        log::warn("documents", "a document could not be read",
                  {{"document", work.id}, {"reason", error.reason()}, {"error", error.message()}});
    }
    if (!stored && stored.error().code() != ErrorCode::kCancelled) co_return fail(stored.error());
    co_return Result<>();
}

void IngestHandler::show(Work& work, std::string_view stage, Progress progress) {
    activity_->set_progress(work.id, progress);
    work.context.set_progress(fmt::format(R"({{"stage":"{}","done":{},"total":{}}})", stage,
                                          progress.done, progress.total));
}

}  // namespace heddle::service
