// Every endpoint, in one list: an endpoint that is not here does not exist.
#pragma once

#include <vector>

#include "api/endpoint.h"

namespace heddle::api {

[[nodiscard]] std::vector<Endpoint> routes(const ApiOptions& options);

}  // namespace heddle::api
