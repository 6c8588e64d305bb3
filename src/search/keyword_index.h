// The keyword index of a collection, changed row by row in the transactions that change the
// chunks, so it is never behind them and never rebuilt for a query.
//
// On SQLite: BM25 by FTS5, a table for each collection, whose word statistics are its own. On
// PostgreSQL: tsvector with cover density ranking, which knows no word statistics.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/session.h"

namespace heddle::search {

struct KeywordHit {
    std::int64_t chunk = 0;
    double score = 0;  // higher is better
};

Result<> create_keyword_index(storage::Transaction& tx, std::int64_t collection);
Result<> drop_keyword_index(storage::Transaction& tx, std::int64_t collection);

Result<> add_keywords(storage::Transaction& tx, std::int64_t collection, std::int64_t chunk,
                      std::string_view heading_path, std::string_view text);
// With the texts by which they were added.
Result<> remove_keywords(storage::Transaction& tx, std::int64_t collection, std::int64_t chunk,
                         std::string_view heading_path, std::string_view text);

// The best `count` chunks with any word of the question, best first; of these documents only
// when given.
Result<std::vector<KeywordHit>> find_keywords(storage::Session& session, std::int64_t collection,
                                              std::string_view question, std::size_t count,
                                              const std::vector<std::int64_t>* documents);

}  // namespace heddle::search
