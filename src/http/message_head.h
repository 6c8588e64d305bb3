// Heads of messages: bytes → request or response line and fields, strictly (RFC 9112). Whatever
// two servers could read differently is refused: bare LF, obs-fold, space before a colon, NUL,
// two lengths, a length beside a transfer coding, any coding but "chunked". Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "http/headers.h"
#include "http/method.h"

namespace heddle::http {

struct HeadLimits {
    std::size_t first_line_bytes = std::size_t{8} << 10;
    std::size_t bytes = std::size_t{16} << 10;  // with the empty line
    std::size_t fields = 100;
};

// Why a message is not served: the status that says so, and the connection closes.
class Refusal {
public:
    Refusal() = default;
    Refusal(int status, std::string_view message) : status_(status), message_(message) {}
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] std::string_view message() const { return message_; }

private:
    int status_ = 400;
    std::string_view message_;  // a literal
};

template <class T>
using Accepted = tl::expected<T, Refusal>;

// Finds the end of a head that arrives in pieces, looking at every byte once.
class HeadScanner {
public:
    explicit HeadScanner(HeadLimits limits) : limits_(limits) {}

    // `bytes` is all that has arrived, from the head's first byte on. The length of the head with
    // its empty line; nothing when more is needed.
    [[nodiscard]] Accepted<std::optional<std::size_t>> scan(std::string_view bytes);
    void reset() { seen_ = line_start_ = 0; }

private:
    HeadLimits limits_;
    std::size_t seen_ = 0;
    std::size_t line_start_ = 0;
};

// How the end of a body is found.
struct Framing {
    enum class Kind { kNone, kLength, kChunked, kUntilClose };
    Kind kind = Kind::kNone;
    std::uint64_t length = 0;
};

struct RequestHead {
    Method method = Method::kGet;
    std::string target;
    int minor_version = 1;
    Headers headers;
    Framing framing;
    bool keep_alive = true;
    bool expects_continue = false;
};

struct ResponseHead {
    int status = 0;
    int minor_version = 1;
    Headers headers;
    Framing framing;
    bool keep_alive = true;
};

// `head` is what HeadScanner found.
[[nodiscard]] Accepted<RequestHead> parse_request_head(std::string_view head, HeadLimits limits);
// `to` is the method that was asked with: a response to HEAD has no body.
[[nodiscard]] Accepted<ResponseHead> parse_response_head(std::string_view head, Method to,
                                                         HeadLimits limits);

}  // namespace heddle::http
