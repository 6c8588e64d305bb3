// What the operations page and `/admin` show of a running house.
#pragma once

#include <memory>

#include "api/endpoint.h"
#include "app/house.h"
#include "app/recent_errors.h"

namespace heddle::app {

// The house outlives what is returned; `errors` may be null.
[[nodiscard]] api::Operation operation_of(House& house, std::shared_ptr<RecentErrors> errors);

}  // namespace heddle::app
