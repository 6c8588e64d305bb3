// A pooled HTTP/1.1 client with certificate checks, deadlines and caps. It never follows
// redirects, never retries what may have been acted on, decodes no content encoding and sends no
// credentials but those in the request.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "async/deadline.h"
#include "async/task.h"
#include "base/result.h"
#include "http/headers.h"
#include "http/method.h"
#include "http/sse.h"
#include "http/transport.h"
#include "http/url.h"

namespace heddle::http {

// Names → addresses. Thread-safe.
class Resolver {
public:
    virtual ~Resolver() = default;
    // At least one address, or an error. Host names only: literal addresses are not passed on.
    virtual async::Task<Result<std::vector<boost::asio::ip::address>>> resolve(
        std::string host) = 0;
};

// Addresses → a connected socket on the caller's executor. Thread-safe.
class Connector {
public:
    virtual ~Connector() = default;
    // Tries the endpoints in order. Cancellable; the caller gives the deadline.
    virtual async::Task<Result<Tcp::socket>> connect(std::vector<Tcp::endpoint> endpoints) = 0;
};

// getaddrinfo, and plain TCP with Nagle's delay off.
[[nodiscard]] std::shared_ptr<Resolver> system_resolver();
[[nodiscard]] std::shared_ptr<Connector> system_connector();

struct ClientOptions {
    // Certificate authorities in PEM instead of the system's.
    std::string ca_file;
    std::chrono::milliseconds resolve_timeout{3'000};
    std::chrono::milliseconds connect_timeout{5'000};  // TCP and TLS together
    // Longest silence while a response body is awaited.
    std::chrono::milliseconds stall_timeout{60'000};
    std::chrono::milliseconds idle_max{30'000};  // in the pool
    std::size_t idle_per_origin_max = 16;
    std::size_t head_bytes_max = std::size_t{64} << 10;
    std::string user_agent = "heddle";
};

struct ClientRequest {
    Method method = Method::kGet;
    Url url;
    Headers headers;  // Host, User-Agent, Content-Length and Accept-Encoding are added if missing
    std::string body;
    // A body that is not in memory: called until it yields an empty piece; body_bytes in all.
    // `body` is then empty.
    std::function<async::Task<Result<std::string>>()> body_source;
    std::uint64_t body_bytes = 0;
    // Connects here and nowhere else, without resolving; Host, SNI and the certificate's name
    // still come from the URL. For callers that check addresses themselves.
    std::optional<boost::asio::ip::address> connect_to;
    // For everything up to the response's head; the body too when it is read under it.
    async::Deadline deadline = async::Deadline::after(std::chrono::seconds(30));
    // Close the connection after this response.
    bool no_reuse = false;
};

// The head of a response, and its body as a stream. Move-only. Destroyed before the end of the
// body it closes its connection; read to the end it gives the connection back to the pool.
class ClientResponse {
public:
    struct Impl;
    explicit ClientResponse(std::unique_ptr<Impl> impl);
    ClientResponse(ClientResponse&&) noexcept;
    ClientResponse& operator=(ClientResponse&&) noexcept;
    ~ClientResponse();

    [[nodiscard]] int status() const;
    [[nodiscard]] const Headers& headers() const;
    // The address at the other end of the socket (getpeername).
    [[nodiscard]] Tcp::endpoint peer() const;

    // The next piece of the body; empty at its end. kDeadlineExceeded after the request's deadline
    // or a stall, kUpstream when the server breaks off.
    async::Task<Result<std::string>> next();
    // The rest of the body; kTooLarge when it is longer.
    async::Task<Result<std::string>> read_all(std::size_t bytes_max);
    // Lets body reads go on past the request's deadline (long streams): from now on this one.
    void set_deadline(async::Deadline deadline);

private:
    std::unique_ptr<Impl> impl_;
};

// Thread-safe; share it. Connections are reused only on the I/O thread that opened them.
class Client {
public:
    explicit Client(ClientOptions options, std::shared_ptr<Resolver> resolver = system_resolver(),
                    std::shared_ptr<Connector> connector = system_connector());
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Resumes when the head of the response is here; any status is a success. Errors: kUpstream
    // with reason resolve_failed | connect_failed | tls_failed | protocol_error | closed,
    // kDeadlineExceeded, kInvalidArgument for a malformed request. Must be called on an I/O
    // thread; cancellable at every point.
    async::Task<Result<ClientResponse>> send(ClientRequest request);

    // Closes idle connections. No request may be in flight.
    void close_idle();

    struct Impl;

private:
    std::shared_ptr<Impl> impl_;
};

// The events of a text/event-stream response.
class SseReader {
public:
    explicit SseReader(ClientResponse response, std::size_t event_bytes_max = std::size_t{4} << 20)
        : response_(std::move(response)), parser_(event_bytes_max) {}

    // The next event, or nothing at the end of the stream.
    async::Task<Result<std::optional<SseEvent>>> next();
    [[nodiscard]] ClientResponse& response() { return response_; }

private:
    ClientResponse response_;
    SseParser parser_;
};

}  // namespace heddle::http
