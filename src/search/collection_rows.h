// The rows of collections, documents and chunks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "search/collection.h"
#include "storage/session.h"

namespace heddle::search {

struct CollectionRow {
    std::int64_t id = 0;
    std::string embedder;
    std::size_t dimensions = 0;
    std::uint64_t version = 0;
};

// kNotFound when the owner has none of this name.
Result<CollectionRow> find_collection(storage::Session& session, std::string_view owner,
                                      std::string_view name);

// Marks the collection as changed: the version that the change will have.
Result<std::uint64_t> raise_version(storage::Transaction& tx, std::int64_t collection);

// Removes a document with its chunks, vectors and words: the numbers of the chunks removed, or
// nothing when there was no such document.
Result<std::optional<std::vector<std::int64_t>>> erase_document(storage::Transaction& tx,
                                                                std::int64_t collection,
                                                                std::string_view document);

// The number of the new document's row.
Result<std::int64_t> insert_document(storage::Transaction& tx, std::int64_t collection,
                                     const NewDocument& document);
// The number of the new chunk.
Result<std::int64_t> insert_chunk(storage::Transaction& tx, std::int64_t collection,
                                  std::int64_t document, std::uint32_t ordinal,
                                  const NewChunk& chunk);

// The columns that read_chunk reads; `c` is search_chunks, `d` search_documents.
inline constexpr std::string_view kChunkColumns =
    "d.document, c.ordinal, c.text, c.heading_path, c.page_start, c.page_end, c.char_start, "
    "c.char_end, c.boxes";
[[nodiscard]] StoredChunk read_chunk(const storage::Row& row);

// The rows of documents that a filter lets through, sorted.
Result<std::vector<std::int64_t>> filtered_documents(storage::Session& session,
                                                     std::int64_t collection,
                                                     const SearchFilter& filter);

}  // namespace heddle::search
