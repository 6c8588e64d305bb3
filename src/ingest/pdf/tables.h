// Tables without their lines: rows whose cells stand under each other.
#pragma once

#include <vector>

#include "ingest/pdf/reading_order.h"

namespace heddle::ingest::pdf {

// For each row whether it is a row of a table.
[[nodiscard]] std::vector<bool> find_table_rows(const std::vector<Row>& rows);

}  // namespace heddle::ingest::pdf
