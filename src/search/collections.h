// Collections of documents: their passages, vectors and words, changed together in one
// transaction, and searched as of one moment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "search/collection.h"
#include "search/dense_indexes.h"
#include "search/embedder.h"
#include "storage/database.h"

namespace heddle::search {

// A question with its vector (empty: keywords only).
struct VectorQuery {
    std::string owner;
    std::string collection;
    std::string text;
    std::vector<float> vector;
    std::size_t limit = 3;
    // Cosine below which a passage is left out.
    float score_threshold = -1;
    SearchFilter filter;
    SearchSettings settings;
};

// Thread-safe. Every call takes the owner; another owner's collection is kNotFound.
class Collections {
public:
    // Brings the tables up to date and reads the vectors; blocks.
    static Result<std::unique_ptr<Collections>> open(storage::Database& db);

    // The collection of this name, made when absent. kConflict (reason "embedder_changed") when
    // it holds vectors of another embedder. kInvalidArgument for a name that is empty, longer
    // than 200 bytes or has control characters.
    async::Task<Result<CollectionInfo>> ensure(std::string owner, std::string name,
                                               EmbedderInfo embedder);
    async::Task<Result<CollectionInfo>> get(std::string owner, std::string name);
    // By name.
    async::Task<Result<std::vector<CollectionInfo>>> list(std::string owner);
    // With everything in it.
    async::Task<Result<>> remove(std::string owner, std::string name);

    // In the caller's transaction, so that a document's row and its passages change together.
    // Replaces the document of the same id. All of it is searchable when the commit returns.
    Result<> upsert_document(storage::Transaction& tx, const NewDocument& document);
    async::Task<Result<>> upsert_document(NewDocument document);
    // False when it was not there.
    Result<bool> delete_document(storage::Transaction& tx, std::string_view owner,
                                 std::string_view collection, std::string_view document);
    async::Task<Result<bool>> delete_document(std::string owner, std::string collection,
                                              std::string document);

    // Passages of a document in their order.
    async::Task<Result<std::vector<StoredChunk>>> chunks(std::string owner, std::string collection,
                                                         std::string document, std::uint32_t first,
                                                         std::size_t limit);

    // Best first. All passages are of one moment: a document that is being replaced is there in
    // its old or its new form.
    async::Task<Result<std::vector<Passage>>> search(VectorQuery query);

private:
    explicit Collections(storage::Database& db) : db_(db) {}

    Result<> rebuild_old_keywords();
    void change_later(storage::Transaction& tx, DenseChange change);

    storage::Database& db_;
    const std::shared_ptr<DenseIndexes> dense_ = std::make_shared<DenseIndexes>();
};

}  // namespace heddle::search
