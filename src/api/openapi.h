// The OpenAPI 3.1 document, made from the route table.
#pragma once

#include <string>
#include <vector>

#include "api/endpoint.h"

namespace heddle::api {

[[nodiscard]] std::string openapi_document(const std::vector<Endpoint>& endpoints,
                                           const ApiOptions& options);

}  // namespace heddle::api
