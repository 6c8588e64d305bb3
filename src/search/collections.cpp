#include "search/collections.h"

#include <cmath>
#include <limits>
#include <utility>

#include "async/task.h"
#include "search/collection_rows.h"
#include "search/keyword_index.h"
#include "search/keyword_text.h"
#include "search/retrieval.h"
#include "search/schema.h"

namespace heddle::search {
namespace {

using storage::Row;
using storage::Session;
using storage::Transaction;

constexpr std::size_t kNameMax = 200;
// How often a search reads again because commits came between its rows and its view, and from
// which try on an index that is behind is held to have missed a change.
constexpr int kTriesMax = 50;
constexpr int kReloadFrom = 8;

constexpr std::string_view kInfo =
    "SELECT c.owner, c.name, c.embedder, c.dimensions, COUNT(d.id), COALESCE(SUM(d.chunks), 0), "
    "c.created_at FROM search_collections c LEFT JOIN search_documents d ON d.collection = c.id ";
constexpr std::string_view kGroup =
    " GROUP BY c.id, c.owner, c.name, c.embedder, c.dimensions, c.created_at ORDER BY c.name";

CollectionInfo read_info(const Row& row) {
    return CollectionInfo{.owner = row.string(0),
                          .name = row.string(1),
                          .embedder = row.string(2),
                          .dimensions = static_cast<std::uint32_t>(row.integer(3)),
                          .documents = row.integer(4),
                          .chunks = row.integer(5),
                          .created_ms = row.integer(6)};
}

Result<CollectionInfo> find_info(Session& session, std::string_view owner, std::string_view name) {
    HEDDLE_TRY_VOID(find_collection(session, owner, name));
    const std::string sql =
        std::string(kInfo) + "WHERE c.owner = ? AND c.name = ?" + std::string(kGroup);
    HEDDLE_TRY(auto info, session.first(sql, read_info, owner, name));
    return std::move(*info);
}

Result<> check_name(std::string_view name) {
    const bool printable = std::ranges::all_of(
        name, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (!name.empty() && name.size() <= kNameMax && printable) return {};
    return fail(Error(ErrorCode::kInvalidArgument,
                      "a collection's name has 1 to 200 bytes and no control characters")
                    .with_param("collection"));
}

Result<> check_vectors(const NewDocument& document, std::size_t dimensions) {
    for (const NewChunk& chunk : document.chunks) {
        float norm = 0;
        for (const float x : chunk.vector) norm += x * x;
        if (chunk.vector.size() != dimensions || !(std::fabs(norm - 1) < 0.02F)) {
            return fail(ErrorCode::kInvalidArgument,
                        "a passage's vector does not fit the collection");
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Collections>> Collections::open(storage::Database& db) {
    HEDDLE_TRY_VOID(db.migrate(search_schema()));
    std::unique_ptr<Collections> collections(new Collections(db));
    HEDDLE_TRY_VOID(collections->rebuild_old_keywords());
    const auto load = [&](Session& session) { return collections->dense_->load(session); };
    HEDDLE_TRY_VOID(db.read_blocking(load));
    return collections;
}

// Indexes whose words were split by other rules than today's are filled again from the texts.
Result<> Collections::rebuild_old_keywords() {
    const auto rebuild = [](Transaction& tx) -> Result<> {
        const auto read = [](const Row& row) { return row.integer(0); };
        HEDDLE_TRY(const auto old,
                   tx.select("SELECT id FROM search_collections WHERE keyword_version <> ?", read,
                             kKeywordVersion));
        for (const std::int64_t id : old) {
            HEDDLE_TRY_VOID(drop_keyword_index(tx, id));
            HEDDLE_TRY_VOID(create_keyword_index(tx, id));
            Result<> added;
            const auto add = [&](const Row& row) {
                if (added) added = add_keywords(tx, id, row.integer(0), row.text(1), row.text(2));
            };
            HEDDLE_TRY_VOID(
                tx.each("SELECT c.id, c.heading_path, c.text FROM search_chunks c "
                        "JOIN search_documents d ON d.id = c.document "
                        "WHERE d.collection = ?",
                        add, id));
            HEDDLE_TRY_VOID(std::move(added));
            HEDDLE_TRY_VOID(
                tx.execute("UPDATE search_collections SET keyword_version = ? "
                           "WHERE id = ?",
                           kKeywordVersion, id));
        }
        return {};
    };
    return db_.write_blocking(rebuild);
}

async::Task<Result<CollectionInfo>> Collections::ensure(std::string owner, std::string name,
                                                        EmbedderInfo embedder) {
    HEDDLE_CO_TRY_VOID(check_name(name));
    const auto fn = [&](Transaction& tx) -> Result<CollectionInfo> {
        HEDDLE_TRY(const auto now, tx.now_ms());
        HEDDLE_TRY(const auto id,
                   tx.number("INSERT INTO search_collections (owner, name, embedder, dimensions, "
                             "keyword_version, created_at) VALUES (?, ?, ?, ?, ?, ?) "
                             "ON CONFLICT (owner, name) DO NOTHING RETURNING id",
                             owner, name, embedder.id, embedder.dimensions, kKeywordVersion, now));
        if (id != 0) {
            HEDDLE_TRY_VOID(create_keyword_index(tx, id));
            tx.after_commit([dense = dense_, id, dimensions = embedder.dimensions] {
                dense->create(id, dimensions);
            });
        }
        HEDDLE_TRY(auto info, find_info(tx, owner, name));
        if (info.embedder != embedder.id || info.dimensions != embedder.dimensions) {
            return fail(Error(ErrorCode::kConflict, "this collection was embedded with " +
                                                        info.embedder +
                                                        "; its documents must be embedded again")
                            .with_reason("embedder_changed"));
        }
        return info;
    };
    co_return co_await db_.write(fn);
}

async::Task<Result<CollectionInfo>> Collections::get(std::string owner, std::string name) {
    const auto fn = [&](Session& session) { return find_info(session, owner, name); };
    co_return co_await db_.read(fn);
}

async::Task<Result<std::vector<CollectionInfo>>> Collections::list(std::string owner) {
    const std::string sql = std::string(kInfo) + "WHERE c.owner = ?" + std::string(kGroup);
    const auto fn = [&](Session& session) { return session.select(sql, read_info, owner); };
    co_return co_await db_.read(fn);
}

async::Task<Result<>> Collections::remove(std::string owner, std::string name) {
    const auto fn = [&](Transaction& tx) -> Result<> {
        HEDDLE_TRY(const auto collection, find_collection(tx, owner, name));
        HEDDLE_TRY_VOID(drop_keyword_index(tx, collection.id));
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM search_collections WHERE id = ?", collection.id));
        tx.after_commit([dense = dense_, id = collection.id] { dense->remove(id); });
        return {};
    };
    co_return co_await db_.write(fn);
}

void Collections::change_later(Transaction& tx, DenseChange change) {
    tx.after_commit([dense = dense_, change = std::move(change)] { dense->apply(change); });
}

Result<> Collections::upsert_document(Transaction& tx, const NewDocument& document) {
    HEDDLE_TRY(const auto collection, find_collection(tx, document.owner, document.collection));
    HEDDLE_TRY_VOID(check_vectors(document, collection.dimensions));
    DenseChange change{.collection = collection.id};
    HEDDLE_TRY(auto removed, erase_document(tx, collection.id, document.document));
    if (removed) change.removed = std::move(*removed);
    HEDDLE_TRY(const auto row, insert_document(tx, collection.id, document));
    std::uint32_t ordinal = 0;
    for (const NewChunk& chunk : document.chunks) {
        HEDDLE_TRY(const auto id, insert_chunk(tx, collection.id, row, ordinal++, chunk));
        change.added.push_back({.chunk = id, .document = row, .vector = chunk.vector});
    }
    HEDDLE_TRY(change.version, raise_version(tx, collection.id));
    change_later(tx, std::move(change));
    return {};
}

async::Task<Result<>> Collections::upsert_document(NewDocument document) {
    const auto fn = [&](Transaction& tx) { return upsert_document(tx, document); };
    co_return co_await db_.write(fn);
}

Result<bool> Collections::delete_document(Transaction& tx, std::string_view owner,
                                          std::string_view collection, std::string_view document) {
    HEDDLE_TRY(const auto row, find_collection(tx, owner, collection));
    HEDDLE_TRY(auto removed, erase_document(tx, row.id, document));
    if (!removed) return false;
    HEDDLE_TRY(const auto version, raise_version(tx, row.id));
    change_later(tx, {.collection = row.id, .version = version, .removed = std::move(*removed)});
    return true;
}

async::Task<Result<bool>> Collections::delete_document(std::string owner, std::string collection,
                                                       std::string document) {
    const auto fn = [&](Transaction& tx) {
        return delete_document(tx, owner, collection, document);
    };
    co_return co_await db_.write(fn);
}

async::Task<Result<std::vector<StoredChunk>>> Collections::chunks(std::string owner,
                                                                  std::string collection,
                                                                  std::string document,
                                                                  std::uint32_t first,
                                                                  std::size_t limit) {
    const auto fn = [&](Session& session) -> Result<std::vector<StoredChunk>> {
        HEDDLE_TRY(const auto row, find_collection(session, owner, collection));
        const std::string sql =
            "SELECT " + std::string(kChunkColumns) +
            " FROM search_chunks c JOIN search_documents d ON d.id = c.document "
            "WHERE d.collection = ? AND d.document = ? AND c.ordinal >= ? "
            "ORDER BY c.ordinal LIMIT ?";
        return session.select(sql, read_chunk, row.id, document, first, limit);
    };
    co_return co_await db_.read(fn);
}

// The rows and the view are read apart. They are of one moment when the view has the version that
// the rows have; when a commit came between, the rows are read again.
async::Task<Result<std::vector<Passage>>> Collections::search(VectorQuery query) {
    int tries = 0;
    const auto fn = [&](Session& session) -> Result<std::optional<std::vector<Passage>>> {
        HEDDLE_TRY(const auto row, find_collection(session, query.owner, query.collection));
        auto view = dense_->view(row.id);
        const bool behind = !view || view->version() < row.version;
        if (behind && tries >= kReloadFrom) {
            HEDDLE_TRY_VOID(dense_->reload(session, row.id, row.dimensions, row.version));
            view = dense_->view(row.id);
        }
        if (!view || view->version() != row.version) return std::nullopt;
        HEDDLE_TRY(auto passages, retrieve(session, row, *view, query));
        return passages;
    };
    for (; tries < kTriesMax; ++tries) {
        HEDDLE_CO_TRY(auto passages, co_await db_.read(fn));
        if (passages) co_return std::move(*passages);
        co_await async::sleep_for(std::chrono::microseconds(100 << std::min(tries, 6)));
    }
    co_return fail(
        Error(ErrorCode::kUnavailable, "the collection is changing too fast").with_retry_after(1));
}

}  // namespace heddle::search
