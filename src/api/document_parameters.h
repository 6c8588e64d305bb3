// What the document endpoints read from a request's address.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/request.h"
#include "service/documents.h"

namespace heddle::api {

[[nodiscard]] Error no_documents();

// An integer query parameter within its range.
[[nodiscard]] Result<std::size_t> count_parameter(const http::Request& request,
                                                  std::string_view name, std::size_t least,
                                                  std::size_t most, std::size_t otherwise);

[[nodiscard]] std::optional<service::DocumentState> parse_state(std::string_view text);

}  // namespace heddle::api
