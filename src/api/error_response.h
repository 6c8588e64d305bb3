// The one table from errors to status codes and bodies.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/request.h"
#include "http/response.h"

namespace heddle::api {

[[nodiscard]] int status_of(ErrorCode code);

// OpenAI's shape under /v1: {"error":{"message","type","param","code"}}; elsewhere FastAPI's:
// {"detail": message}, for 422 {"detail":[{"loc","msg","type"}]}.
[[nodiscard]] std::string error_body(std::string_view path, const Error& error);

// With Retry-After for 429 and 503. Under /v1 a kUnprocessable is a 400, as OpenAI's clients
// expect.
[[nodiscard]] http::Response error_response(const http::Request& request, const Error& error);

}  // namespace heddle::api
