// A request as handlers see it. Lives on its connection's I/O thread and no longer than the
// handler's task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "async/task.h"
#include "base/result.h"
#include "http/headers.h"
#include "http/method.h"
#include "http/target.h"

namespace heddle::http {

// Where a body's bytes come from: a connection, or memory in tests.
class BodySource {
public:
    virtual ~BodySource() = default;
    // The next decoded bytes, valid until the next call; empty at the end.
    virtual async::Task<Result<std::string_view>> next_bytes() = 0;
    // What Content-Length says.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;
};

// The request's body, counted after decoding and capped.
class Body {
public:
    explicit Body(BodySource* source) : source_(source) {}

    // The route's cap, in bytes; before the first read. A body that announces more is refused
    // before a byte of it is read (and before 100 Continue).
    void set_limit(std::uint64_t bytes_max) { limit_ = bytes_max; }
    [[nodiscard]] std::uint64_t limit() const { return limit_; }
    [[nodiscard]] std::optional<std::uint64_t> announced_length() const;

    // The next piece, valid until the next call; empty at the end. Errors: kTooLarge,
    // kInvalidArgument (malformed chunks, cut off), kTimeout (below 1 KiB/s).
    async::Task<Result<std::string_view>> next();
    async::Task<Result<std::string>> read_all();

private:
    BodySource* source_;  // null: no body
    std::uint64_t limit_ = std::uint64_t{2} << 20;
    std::uint64_t received_ = 0;
};

class Request {
public:
    struct Parts {
        Method method = Method::kGet;
        Target target;
        Headers headers;
        boost::asio::ip::address peer;
        std::string id;
    };
    Request(Parts parts, BodySource* source) : parts_(std::move(parts)), body_(source) {}

    [[nodiscard]] Method method() const { return parts_.method; }
    [[nodiscard]] const Target& target() const { return parts_.target; }
    [[nodiscard]] const Headers& headers() const { return parts_.headers; }
    [[nodiscard]] std::string_view header(std::string_view name) const {
        return parts_.headers.get(name);
    }
    [[nodiscard]] std::optional<std::string_view> query(std::string_view name) const {
        return parts_.target.parameter(name);
    }
    // The address at the other end of the socket.
    [[nodiscard]] const boost::asio::ip::address& peer() const { return parts_.peer; }
    // Names the request in logs and in X-Request-Id; the client's own where it sent a plain one.
    [[nodiscard]] const std::string& id() const { return parts_.id; }
    [[nodiscard]] Body& body() { return body_; }

    // What stood at {name} in the route's pattern; empty when the pattern has no such name.
    [[nodiscard]] std::string_view parameter(std::string_view name) const;
    void set_parameters(std::vector<std::pair<std::string, std::string>> parameters) {
        parameters_ = std::move(parameters);
    }

private:
    Parts parts_;
    Body body_;
    std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace heddle::http
