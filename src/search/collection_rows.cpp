#include "search/collection_rows.h"

#include <fmt/format.h>

#include <charconv>
#include <deque>

#include "search/dense_indexes.h"
#include "search/keyword_index.h"

namespace heddle::search {

using storage::Bind;
using storage::Row;
using storage::Session;
using storage::Transaction;

std::string chunk_id(std::string_view document, std::uint32_t ordinal) {
    return fmt::format("{}.{}", document, ordinal);
}

std::optional<std::uint32_t> chunk_ordinal(std::string_view id, std::string_view document) {
    if (!id.starts_with(document)) return std::nullopt;
    id.remove_prefix(document.size());
    if (!id.starts_with('.')) return std::nullopt;
    std::uint32_t ordinal = 0;
    const char* end = id.data() + id.size();
    const auto [read, error] = std::from_chars(id.data() + 1, end, ordinal);
    return error == std::errc() && read == end ? std::optional(ordinal) : std::nullopt;
}

Result<CollectionRow> find_collection(Session& session, std::string_view owner,
                                      std::string_view name) {
    const auto read = [](const Row& row) {
        return CollectionRow{.id = row.integer(0),
                             .embedder = row.string(1),
                             .dimensions = static_cast<std::size_t>(row.integer(2)),
                             .version = static_cast<std::uint64_t>(row.integer(3))};
    };
    HEDDLE_TRY(auto found,
               session.first("SELECT id, embedder, dimensions, version FROM search_collections "
                             "WHERE owner = ? AND name = ?",
                             read, owner, name));
    if (!found) {
        return fail(Error(ErrorCode::kNotFound, "there is no such collection")
                        .with_reason("collection_not_found")
                        .with_param("collection"));
    }
    return std::move(*found);
}

Result<std::uint64_t> raise_version(Transaction& tx, std::int64_t collection) {
    HEDDLE_TRY(const auto version,
               tx.number("UPDATE search_collections SET version = version + 1 WHERE id = ? "
                         "RETURNING version",
                         collection));
    return static_cast<std::uint64_t>(version);
}

Result<std::optional<std::vector<std::int64_t>>> erase_document(Transaction& tx,
                                                                std::int64_t collection,
                                                                std::string_view document) {
    const auto read_id = [](const Row& row) { return row.integer(0); };
    HEDDLE_TRY(const auto id,
               tx.first("SELECT id FROM search_documents WHERE collection = ? AND document = ?",
                        read_id, collection, document));
    if (!id) return std::nullopt;
    struct Words {
        std::int64_t chunk;
        std::string heading;
        std::string text;
    };
    const auto read_words = [](const Row& row) {
        return Words{row.integer(0), row.string(1), row.string(2)};
    };
    HEDDLE_TRY(const auto words,
               tx.select("SELECT id, heading_path, text FROM search_chunks WHERE document = ?",
                         read_words, *id));
    std::vector<std::int64_t> removed;
    for (const Words& of : words) {
        HEDDLE_TRY_VOID(remove_keywords(tx, collection, of.chunk, of.heading, of.text));
        removed.push_back(of.chunk);
    }
    HEDDLE_TRY_VOID(tx.execute("DELETE FROM search_documents WHERE id = ?", *id));
    return removed;
}

Result<std::int64_t> insert_document(Transaction& tx, std::int64_t collection,
                                     const NewDocument& document) {
    return tx.number(
        "INSERT INTO search_documents (collection, document, title, source, metadata, chunks) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        collection, document.document, document.title, document.source, document.metadata,
        document.chunks.size());
}

Result<std::int64_t> insert_chunk(Transaction& tx, std::int64_t collection, std::int64_t document,
                                  std::uint32_t ordinal, const NewChunk& chunk) {
    HEDDLE_TRY(const auto id,
               tx.number("INSERT INTO search_chunks (document, ordinal, text, heading_path, "
                         "page_start, page_end, char_start, char_end, boxes) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                         document, ordinal, chunk.text, chunk.heading_path, chunk.page_start,
                         chunk.page_end, chunk.char_start, chunk.char_end, chunk.boxes));
    HEDDLE_TRY_VOID(tx.execute("INSERT INTO search_vectors (chunk, vector) VALUES (?, ?)", id,
                               vector_bytes(chunk.vector)));
    HEDDLE_TRY_VOID(add_keywords(tx, collection, id, chunk.heading_path, chunk.text));
    return id;
}

StoredChunk read_chunk(const Row& row) {
    const auto ordinal = static_cast<std::uint32_t>(row.integer(1));
    return StoredChunk{
        .id = chunk_id(row.text(0), ordinal),
        .document = row.string(0),
        .ordinal = ordinal,
        .text = row.string(2),
        .heading_path = row.string(3),
        .page_start = static_cast<std::uint32_t>(row.integer(4)),
        .page_end = static_cast<std::uint32_t>(row.integer(5)),
        .char_start = static_cast<std::uint64_t>(row.integer(6)),
        .char_end = static_cast<std::uint64_t>(row.integer(7)),
        .boxes = row.string(8),
    };
}

Result<std::vector<std::int64_t>> filtered_documents(Session& session, std::int64_t collection,
                                                     const SearchFilter& filter) {
    std::string sql = "SELECT id FROM search_documents WHERE collection = ?";
    std::vector<Bind> values{collection};
    if (!filter.documents.empty()) {
        sql += fmt::format(" AND document IN ({})", storage::placeholders(filter.documents.size()));
        for (const std::string& document : filter.documents) values.emplace_back(document);
    }
    const bool lite = session.dialect() == storage::Dialect::kSqlite;
    std::deque<std::string> paths;
    for (const auto& [name, value] : filter.metadata) {
        // A path of SQLite cannot hold a quoted quote.
        if (name.find_first_of("\"\\") != std::string::npos) {
            return fail(Error(ErrorCode::kInvalidArgument,
                              "the name of a metadata member must not have quotes or backslashes")
                            .with_param("filter"));
        }
        sql += lite ? " AND CAST(json_extract(metadata, ?) AS TEXT) = ?"
                    : " AND CAST(metadata AS jsonb) ->> ? = ?";
        values.emplace_back(paths.emplace_back(lite ? "$.\"" + name + "\"" : name));
        values.emplace_back(value);
    }
    const auto read = [](const Row& row) { return row.integer(0); };
    return session.select_with(sql + " ORDER BY id", read, values);
}

}  // namespace heddle::search
