// Outcomes that a caller branches on. Bugs are HEDDLE_CHECK (base/check.h); failures that end a
// whole unit of work are exceptions, caught only at the connection loop, the job runner, the
// engine step and main.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace heddle {

// What went wrong, coarse enough to be mapped to an HTTP status in one table
// (api/error_response.cpp).
enum class ErrorCode {
    kInvalidArgument,   // 400: the request is wrong; param() names the field
    kUnprocessable,     // 422: well-formed JSON that does not fit the schema (FastAPI's shape)
    kUnauthenticated,   // 401
    kPermissionDenied,  // 403
    kNotFound,          // 404
    kMethodNotAllowed,  // 405
    kTimeout,           // 408: the peer was too slow to send
    kConflict,          // 409
    kTooLarge,          // 413
    kUnsupportedType,   // 415
    kRateLimited,       // 429: this client is over its share
    kCancelled,         // 499: the caller left
    kInternal,          // 500: our fault
    kUnimplemented,     // 501
    kUpstream,          // 502: a server that we asked failed
    kUnavailable,       // 503: full, draining or loading; try again
    kDeadlineExceeded,  // 504
    kCorrupt,           // a file or row that cannot be believed
    kIo,                // disk or network of our own
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

// An error with a message fit for the client: no paths of the server, no SQL, no addresses.
// `reason` is the machine-readable name (OpenAI's `code`, e.g. "context_length_exceeded"),
// `param` the request field at fault. Not an aggregate on purpose (see STYLE.md, Errors).
class Error {
public:
    Error() = default;
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

    [[nodiscard]] ErrorCode code() const { return code_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] const std::string& param() const { return param_; }
    // Seconds after which a retry makes sense; 0 when unknown.
    [[nodiscard]] int retry_after_s() const { return retry_after_s_; }

    Error&& with_reason(std::string reason) && {
        reason_ = std::move(reason);
        return std::move(*this);
    }
    Error&& with_param(std::string param) && {
        param_ = std::move(param);
        return std::move(*this);
    }
    Error&& with_retry_after(int seconds) && {
        retry_after_s_ = seconds;
        return std::move(*this);
    }
    // "while reading model.safetensors: offset past the end"
    Error&& with_context(std::string_view context) && {
        message_ = std::string(context) + ": " + message_;
        return std::move(*this);
    }

private:
    ErrorCode code_ = ErrorCode::kInternal;
    std::string message_;
    std::string reason_;
    std::string param_;
    int retry_after_s_ = 0;
};

template <class T = void>
using Result = tl::expected<T, Error>;

// return fail(ErrorCode::kNotFound, "no such document");
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error(code, std::move(message)));
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

// The only macros of error handling: HEDDLE_TRY(auto x, expr) binds the value or returns the
// error; HEDDLE_TRY_VOID(expr) for Result<>. In coroutines use the HEDDLE_CO_ forms, whose
// expression may be `co_await task`.
#define HEDDLE_CONCAT_INNER(a, b) a##b
#define HEDDLE_CONCAT(a, b) HEDDLE_CONCAT_INNER(a, b)
#define HEDDLE_TRY_IMPL(tmp, decl, ret, ...)              \
    auto tmp = (__VA_ARGS__);                             \
    if (!tmp) ret ::heddle::fail(std::move(tmp).error()); \
    decl = std::move(*tmp)
#define HEDDLE_TRY(decl, ...) \
    HEDDLE_TRY_IMPL(HEDDLE_CONCAT(try_, __LINE__), decl, return, __VA_ARGS__)
#define HEDDLE_CO_TRY(decl, ...) \
    HEDDLE_TRY_IMPL(HEDDLE_CONCAT(try_, __LINE__), decl, co_return, __VA_ARGS__)
#define HEDDLE_TRY_VOID_IMPL(tmp, ret, ...) \
    if (auto tmp = (__VA_ARGS__); !tmp) ret ::heddle::fail(std::move(tmp).error())
#define HEDDLE_TRY_VOID(...) \
    HEDDLE_TRY_VOID_IMPL(HEDDLE_CONCAT(try_, __LINE__), return, __VA_ARGS__)
#define HEDDLE_CO_TRY_VOID(...)                                               \
    do {                                                                      \
        auto try_void = (__VA_ARGS__);                                        \
        if (!try_void) co_return ::heddle::fail(std::move(try_void).error()); \
    } while (false)

}  // namespace heddle
