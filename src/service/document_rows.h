// The rows of documents: one for each file of an owner, from its upload until it is deleted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/documents.h"
#include "storage/migrations.h"
#include "storage/session.h"

namespace heddle::service {

[[nodiscard]] const storage::Schema& document_schema();

struct DocumentRow {
    DocumentInfo info;  // without progress, which is not stored
    std::string owner;
    std::string format;  // a name of ingest::formats()
    std::string blob;
    std::string job;
};

[[nodiscard]] constexpr bool is_final(DocumentState state) {
    return state == DocumentState::kReady || state == DocumentState::kFailed;
}

// What reading a file has shown of it.
struct ReadingFacts {
    std::string title;
    std::uint64_t pages = 0;
    std::uint64_t chunks = 0;
    std::vector<std::uint32_t> pages_without_text;
    std::uint64_t hidden_characters = 0;
    std::string warning;
};

Result<> insert_row(storage::Transaction& tx, const DocumentRow& row);
Result<std::optional<DocumentRow>> find_row(storage::Session& session, std::string_view owner,
                                            std::string_view id);
Result<std::optional<DocumentRow>> find_same_bytes(storage::Session& session,
                                                   std::string_view owner,
                                                   std::string_view collection,
                                                   std::string_view sha256);
// Other documents of the same owner, collection and name, oldest first.
Result<std::vector<DocumentRow>> find_namesakes(storage::Session& session, const DocumentRow& row);
Result<std::vector<DocumentRow>> list_rows(storage::Session& session, std::string_view owner,
                                           const DocumentQuery& query);
// Of every owner; for the start.
Result<std::vector<DocumentRow>> list_unfinished(storage::Session& session);
Result<bool> is_blob_used(storage::Session& session, std::string_view blob);

// Each stamps the row and is false when there is none.
Result<bool> set_state(storage::Transaction& tx, std::string_view owner, std::string_view id,
                       DocumentState state);
Result<bool> set_facts(storage::Transaction& tx, std::string_view owner, std::string_view id,
                       const ReadingFacts& facts);
Result<bool> set_failed(storage::Transaction& tx, std::string_view owner, std::string_view id,
                        std::string_view error, bool retryable);
// Back to the queue under another job.
Result<bool> set_queued(storage::Transaction& tx, std::string_view owner, std::string_view id,
                        std::string_view job);
Result<bool> delete_row(storage::Transaction& tx, std::string_view owner, std::string_view id);

}  // namespace heddle::service
