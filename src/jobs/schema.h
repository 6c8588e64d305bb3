// The tables of the queue.
#pragma once

#include "storage/migrations.h"

namespace heddle::jobs {

[[nodiscard]] const storage::Schema& job_schema();

}  // namespace heddle::jobs
