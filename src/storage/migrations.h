// Tables and their versions. Each room registers numbered steps; a database moves forward through
// the missing ones in one transaction, and one that a newer Heddle has written is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/session.h"

namespace heddle::storage {

// One step: statements that both databases understand, with these words filled in:
//   {serial}  a row number that the database gives and never gives again, as primary key
//   {key}     a row number of ours, as primary key
//   {blob}    bytes
// Columns are TEXT, BIGINT, DOUBLE PRECISION and {blob}. What only one database has (FTS5,
// tsvector) stands apart. A step that has been released is never changed.
struct MigrationStep {
    std::string sql;
    std::string sqlite_only;
    std::string postgres_only;
};

struct Schema {
    std::string_view room;
    // The version of a room's tables is the number of steps they have been through.
    std::vector<MigrationStep> steps;
};

// kConflict when the tables are newer than the last step.
Result<> apply_schema(Transaction& tx, const Schema& schema);

}  // namespace heddle::storage
