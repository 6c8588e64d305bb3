#include "service/document_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <utility>

namespace heddle::service {
namespace {

using storage::Row;
using storage::Session;
using storage::Transaction;

constexpr std::array<std::string_view, 5> kStates = {"queued", "extracting", "embedding", "ready",
                                                     "failed"};
constexpr std::size_t kListMax = 1000;

constexpr std::string_view kColumns =
    "id, owner, collection, name, title, content_type, format, bytes, sha256, blob, job, state, "
    "pages, chunks, pages_without_text, hidden_characters, warning, error, retryable, created_at, "
    "updated_at";

DocumentState parse_state(std::string_view text) {
    for (std::size_t i = 0; i < kStates.size(); ++i) {
        if (kStates[i] == text) return static_cast<DocumentState>(i);
    }
    return DocumentState::kFailed;
}

// "2,3,17"
std::vector<std::uint32_t> parse_numbers(std::string_view text) {
    std::vector<std::uint32_t> numbers;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::uint32_t number = 0;
        const auto [next, error] = std::from_chars(at, end, number);
        if (error != std::errc()) break;
        numbers.push_back(number);
        at = next + (next < end ? 1 : 0);
    }
    return numbers;
}

DocumentRow read_row(const Row& row) {
    DocumentRow out;
    DocumentInfo& info = out.info;
    int column = 0;
    info.id = row.string(column++);
    out.owner = row.string(column++);
    info.collection = row.string(column++);
    info.name = row.string(column++);
    info.title = row.string(column++);
    info.content_type = row.string(column++);
    out.format = row.string(column++);
    info.bytes = static_cast<std::uint64_t>(row.integer(column++));
    info.sha256 = row.string(column++);
    out.blob = row.string(column++);
    out.job = row.string(column++);
    info.state = parse_state(row.text(column++));
    info.pages = static_cast<std::uint64_t>(row.integer(column++));
    info.chunks = static_cast<std::uint64_t>(row.integer(column++));
    info.pages_without_text = parse_numbers(row.text(column++));
    info.hidden_characters = static_cast<std::uint64_t>(row.integer(column++));
    info.warning = row.string(column++);
    info.error = row.string(column++);
    info.retryable = row.boolean(column++);
    info.created_ms = row.integer(column++);
    info.updated_ms = row.integer(column++);
    return out;
}

std::string select_where(std::string_view condition) {
    return fmt::format("SELECT {} FROM documents WHERE {}", kColumns, condition);
}

template <class... Args>
Result<bool> update(Transaction& tx, std::string_view assignments, std::string_view owner,
                    std::string_view id, const Args&... args) {
    HEDDLE_TRY(const std::int64_t now, tx.now_ms());
    const std::string sql = fmt::format(
        "UPDATE documents SET {}, updated_at = ? WHERE owner = ? AND id = ?", assignments);
    HEDDLE_TRY(const std::int64_t changed, tx.execute(sql, args..., now, owner, id));
    return changed > 0;
}

}  // namespace

std::string_view to_string(DocumentState state) {
    return kStates[static_cast<std::size_t>(state)];
}

const storage::Schema& document_schema() {
    static const storage::Schema schema{
        .room = "documents",
        .steps = {{.sql = R"sql(
            CREATE TABLE documents (
                id TEXT PRIMARY KEY,
                owner TEXT NOT NULL,
                collection TEXT NOT NULL,
                name TEXT NOT NULL,
                title TEXT NOT NULL,
                content_type TEXT NOT NULL,
                format TEXT NOT NULL,
                bytes BIGINT NOT NULL,
                sha256 TEXT NOT NULL,
                blob TEXT NOT NULL,
                job TEXT NOT NULL,
                state TEXT NOT NULL,
                pages BIGINT NOT NULL DEFAULT 0,
                chunks BIGINT NOT NULL DEFAULT 0,
                pages_without_text TEXT NOT NULL DEFAULT '',
                hidden_characters BIGINT NOT NULL DEFAULT 0,
                error TEXT NOT NULL DEFAULT '',
                retryable BIGINT NOT NULL DEFAULT 0,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                UNIQUE (owner, collection, sha256)
            );
            CREATE INDEX documents_by_name ON documents (owner, collection, name);
            CREATE INDEX documents_by_blob ON documents (blob);
        )sql"},
                  {.sql = "ALTER TABLE documents ADD COLUMN warning TEXT NOT NULL DEFAULT '';"}}};
    return schema;
}

Result<> insert_row(Transaction& tx, const DocumentRow& row) {
    const DocumentInfo& info = row.info;
    HEDDLE_TRY(const std::int64_t now, tx.now_ms());
    HEDDLE_TRY_VOID(tx.execute(
        "INSERT INTO documents (id, owner, collection, name, title, content_type, format, bytes, "
        "sha256, blob, job, state, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        info.id, row.owner, info.collection, info.name, info.title, info.content_type, row.format,
        info.bytes, info.sha256, row.blob, row.job, to_string(info.state), now, now));
    return {};
}

Result<std::optional<DocumentRow>> find_row(Session& session, std::string_view owner,
                                            std::string_view id) {
    return session.first(select_where("owner = ? AND id = ?"), read_row, owner, id);
}

Result<std::optional<DocumentRow>> find_same_bytes(Session& session, std::string_view owner,
                                                   std::string_view collection,
                                                   std::string_view sha256) {
    return session.first(select_where("owner = ? AND collection = ? AND sha256 = ?"), read_row,
                         owner, collection, sha256);
}

Result<std::vector<DocumentRow>> find_namesakes(Session& session, const DocumentRow& row) {
    return session.select(
        select_where("owner = ? AND collection = ? AND name = ? AND id <> ? ORDER BY id"), read_row,
        row.owner, row.info.collection, row.info.name, row.info.id);
}

Result<std::vector<DocumentRow>> list_rows(Session& session, std::string_view owner,
                                           const DocumentQuery& query) {
    std::string condition = "owner = ?";
    const std::string state(query.state ? to_string(*query.state) : std::string_view());
    std::vector<storage::Bind> values{owner};
    if (query.collection) {
        condition += " AND collection = ?";
        values.emplace_back(*query.collection);
    }
    if (query.state) {
        condition += " AND state = ?";
        values.emplace_back(state);
    }
    if (!query.after.empty()) {
        condition += " AND id < ?";
        values.emplace_back(query.after);
    }
    condition += " ORDER BY id DESC LIMIT ?";
    values.emplace_back(std::min(query.limit, kListMax));
    return session.select_with(select_where(condition), read_row, values);
}

Result<std::vector<DocumentRow>> list_unfinished(Session& session) {
    return session.select(select_where("state NOT IN ('ready', 'failed') ORDER BY id"), read_row);
}

Result<bool> is_blob_used(Session& session, std::string_view blob) {
    HEDDLE_TRY(const std::int64_t count,
               session.number("SELECT COUNT(*) FROM documents WHERE blob = ?", blob));
    return count > 0;
}

Result<bool> set_state(Transaction& tx, std::string_view owner, std::string_view id,
                       DocumentState state) {
    return update(tx, "state = ?, error = '', retryable = 0", owner, id, to_string(state));
}

Result<bool> set_facts(Transaction& tx, std::string_view owner, std::string_view id,
                       const ReadingFacts& facts) {
    return update(
        tx,
        "title = ?, pages = ?, chunks = ?, pages_without_text = ?, hidden_characters = ?, "
        "warning = ?",
        owner, id, facts.title, facts.pages, facts.chunks,
        fmt::format("{}", fmt::join(facts.pages_without_text, ",")), facts.hidden_characters,
        facts.warning);
}

Result<bool> set_failed(Transaction& tx, std::string_view owner, std::string_view id,
                        std::string_view error, bool retryable) {
    return update(tx, "state = 'failed', error = ?, retryable = ?", owner, id, error, retryable);
}

Result<bool> set_queued(Transaction& tx, std::string_view owner, std::string_view id,
                        std::string_view job) {
    return update(tx, "state = 'queued', error = '', retryable = 0, job = ?", owner, id, job);
}

Result<bool> delete_row(Transaction& tx, std::string_view owner, std::string_view id) {
    HEDDLE_TRY(const std::int64_t gone,
               tx.execute("DELETE FROM documents WHERE owner = ? AND id = ?", owner, id));
    return gone > 0;
}

}  // namespace heddle::service
