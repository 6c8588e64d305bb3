#include "search/schema.h"

namespace heddle::search {

// Vectors stand apart from texts, so that reading one does not drag the other through the cache.
// Chunk numbers are never given twice: the dense index may name a chunk that has gone, never
// another one. On SQLite the keyword index of each collection is a table of its own
// (keyword_index.h).
const storage::Schema& search_schema() {
    static const storage::Schema schema{.room = "search",
                                        .steps = {{.sql = R"sql(
            CREATE TABLE search_collections (
                id {serial},
                owner TEXT NOT NULL,
                name TEXT NOT NULL,
                embedder TEXT NOT NULL,
                dimensions BIGINT NOT NULL,
                version BIGINT NOT NULL DEFAULT 0,
                keyword_version BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                UNIQUE (owner, name)
            );
            CREATE TABLE search_documents (
                id {serial},
                collection BIGINT NOT NULL REFERENCES search_collections (id) ON DELETE CASCADE,
                document TEXT NOT NULL,
                title TEXT NOT NULL,
                source TEXT NOT NULL,
                metadata TEXT NOT NULL,
                chunks BIGINT NOT NULL,
                UNIQUE (collection, document)
            );
            CREATE TABLE search_chunks (
                id {serial},
                document BIGINT NOT NULL REFERENCES search_documents (id) ON DELETE CASCADE,
                ordinal BIGINT NOT NULL,
                text TEXT NOT NULL,
                heading_path TEXT NOT NULL,
                page_start BIGINT NOT NULL,
                page_end BIGINT NOT NULL,
                char_start BIGINT NOT NULL,
                char_end BIGINT NOT NULL,
                boxes TEXT NOT NULL,
                UNIQUE (document, ordinal)
            );
            CREATE TABLE search_vectors (
                chunk {key} REFERENCES search_chunks (id) ON DELETE CASCADE,
                vector {blob} NOT NULL
            );
        )sql",
                                                   .postgres_only = R"sql(
            CREATE TABLE search_keywords (
                chunk BIGINT PRIMARY KEY REFERENCES search_chunks (id) ON DELETE CASCADE,
                collection BIGINT NOT NULL,
                body TSVECTOR NOT NULL
            );
            CREATE INDEX search_keywords_body ON search_keywords USING GIN (body);
        )sql"}}};
    return schema;
}

}  // namespace heddle::search
