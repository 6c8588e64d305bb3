#include "search/keyword_index.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "search/keyword_text.h"

namespace heddle::search {
namespace {

using storage::Dialect;

// The index keeps no copy of the text; to remove a row FTS5 wants the words that went in.
std::string body(std::string_view heading_path, std::string_view text) {
    return keyword_text(heading_path) + "\n" + keyword_text(text);
}

// Words are quoted, so that none is read as an operator; they hold no quotes.
std::string match_expression(std::string_view question, Dialect dialect) {
    const bool lite = dialect == Dialect::kSqlite;
    std::string out;
    for (const QueryTerm& term : query_terms(question)) {
        if (!out.empty()) out += lite ? " OR " : " | ";
        out += lite ? fmt::format("\"{}\"{}", term.text, term.prefix ? "*" : "")
                    : fmt::format("'{}'{}", term.text, term.prefix ? ":*" : "");
    }
    return out;
}

Result<std::vector<KeywordHit>> find_in_postgres(storage::Session& session, std::int64_t collection,
                                                 const std::string& match, std::size_t count,
                                                 const std::string* documents) {
    const auto read = [](const storage::Row& row) {
        return KeywordHit{.chunk = row.integer(0), .score = row.real(1)};
    };
    std::string sql =
        "SELECT k.chunk, ts_rank_cd(k.body, q, 1) AS score "
        "FROM search_keywords k JOIN search_chunks c ON c.id = k.chunk, "
        "to_tsquery('english', ?) q WHERE k.body @@ q AND k.collection = ?";
    std::vector<storage::Bind> values{match, collection};
    if (documents != nullptr) {
        sql += " AND c.document = ANY (CAST(string_to_array(?, ',') AS BIGINT[]))";
        values.emplace_back(*documents);
    }
    values.emplace_back(count);
    return session.select_with(sql + " ORDER BY score DESC, k.chunk LIMIT ?", read, values);
}

}  // namespace

Result<> create_keyword_index(storage::Transaction& tx, std::int64_t collection) {
    if (tx.dialect() == Dialect::kPostgres) return {};
    return tx.script(
        fmt::format("CREATE VIRTUAL TABLE search_keywords_{} USING fts5(body, content='', "
                    "tokenize='porter unicode61 remove_diacritics 2')",
                    collection));
}

Result<> drop_keyword_index(storage::Transaction& tx, std::int64_t collection) {
    if (tx.dialect() == Dialect::kPostgres) {
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM search_keywords WHERE collection = ?", collection));
        return {};
    }
    return tx.script(fmt::format("DROP TABLE IF EXISTS search_keywords_{}", collection));
}

Result<> add_keywords(storage::Transaction& tx, std::int64_t collection, std::int64_t chunk,
                      std::string_view heading_path, std::string_view text) {
    if (tx.dialect() == Dialect::kPostgres) {
        HEDDLE_TRY_VOID(
            tx.execute("INSERT INTO search_keywords (chunk, collection, body) "
                       "VALUES (?, ?, to_tsvector('english', ?))",
                       chunk, collection, body(heading_path, text)));
        return {};
    }
    const std::string sql =
        fmt::format("INSERT INTO search_keywords_{} (rowid, body) VALUES (?, ?)", collection);
    HEDDLE_TRY_VOID(tx.execute(sql, chunk, body(heading_path, text)));
    return {};
}

Result<> remove_keywords(storage::Transaction& tx, std::int64_t collection, std::int64_t chunk,
                         std::string_view heading_path, std::string_view text) {
    // The row goes with its chunk.
    if (tx.dialect() == Dialect::kPostgres) return {};
    const std::string sql = fmt::format(
        "INSERT INTO search_keywords_{0} (search_keywords_{0}, rowid, body) "
        "VALUES ('delete', ?, ?)",
        collection);
    HEDDLE_TRY_VOID(tx.execute(sql, chunk, body(heading_path, text)));
    return {};
}

Result<std::vector<KeywordHit>> find_keywords(storage::Session& session, std::int64_t collection,
                                              std::string_view question, std::size_t count,
                                              const std::vector<std::int64_t>* documents) {
    const std::string match = match_expression(question, session.dialect());
    if (match.empty()) return std::vector<KeywordHit>();
    const std::string ids = documents ? fmt::format("{}", fmt::join(*documents, ",")) : "";
    if (session.dialect() == Dialect::kPostgres) {
        return find_in_postgres(session, collection, match, count, documents ? &ids : nullptr);
    }
    // FTS5's bm25() is negative, the better the smaller.
    const auto read = [](const storage::Row& row) {
        return KeywordHit{.chunk = row.integer(0), .score = -row.real(1)};
    };
    const std::string table = fmt::format("search_keywords_{}", collection);
    if (documents == nullptr) {
        const std::string sql = fmt::format(
            "SELECT rowid, rank FROM {0} WHERE {0} MATCH ? ORDER BY rank LIMIT ?", table);
        return session.select(sql, read, match, count);
    }
    const std::string sql = fmt::format(
        "SELECT {0}.rowid, bm25({0}) AS score FROM {0} JOIN search_chunks c ON c.id = {0}.rowid "
        "WHERE {0} MATCH ? AND c.document IN (SELECT value FROM json_each(?)) "
        "ORDER BY score LIMIT ?",
        table);
    return session.select(sql, read, match, "[" + ids + "]", count);
}

}  // namespace heddle::search
