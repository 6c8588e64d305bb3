// The tables of search.
#pragma once

#include "storage/migrations.h"

namespace heddle::search {

[[nodiscard]] const storage::Schema& search_schema();

}  // namespace heddle::search
