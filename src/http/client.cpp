#include "http/client.h"

#include <algorithm>
#include <utility>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "http/client_impl.h"

namespace heddle::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = std::size_t{16} << 10;

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Result<> check(const ClientRequest& request) {
    if (!request.url.target.starts_with('/') || !is_visible_ascii(request.url.target)) {
        return fail(ErrorCode::kInvalidArgument, "the request target is malformed");
    }
    if (request.url.origin.host.empty() || !is_visible_ascii(request.url.origin.host)) {
        return fail(ErrorCode::kInvalidArgument, "the host name is malformed");
    }
    if (request.body_source && !request.body.empty()) {
        return fail(ErrorCode::kInvalidArgument, "a request has one body");
    }
    return {};
}

std::string head_of(const ClientRequest& request, const ClientOptions& options) {
    std::string head(to_string(request.method));
    head += " " + request.url.target + " HTTP/1.1\r\n";
    const auto add = [&](std::string_view name, std::string_view value) {
        head.append(name).append(": ").append(value).append("\r\n");
    };
    const auto add_default = [&](std::string_view name, std::string_view value) {
        if (!request.headers.has(name)) add(name, value);
    };
    add("Host", request.url.origin.host_header());
    for (const Headers::Field& field : request.headers.fields()) {
        const bool ours = equals_ignoring_case(field.name, "host") ||
                          equals_ignoring_case(field.name, "content-length") ||
                          equals_ignoring_case(field.name, "transfer-encoding") ||
                          equals_ignoring_case(field.name, "connection");
        if (!ours) add(field.name, field.value);
    }
    add_default("User-Agent", options.user_agent);
    add_default("Accept", "*/*");
    add_default("Accept-Encoding", "identity");
    const std::uint64_t length = request.body_source ? request.body_bytes : request.body.size();
    const bool has_body = length > 0 || request.body_source || !is_idempotent(request.method) ||
                          request.method == Method::kPut;
    if (has_body) add("Content-Length", std::to_string(length));
    if (request.no_reuse) add("Connection", "close");
    return head + "\r\n";
}

async::Task<Result<std::vector<Tcp::endpoint>>> endpoints_of(std::shared_ptr<Client::Impl> client,
                                                             const ClientRequest& request) {
    const Origin& origin = request.url.origin;
    std::vector<Tcp::endpoint> endpoints;
    boost::system::error_code not_literal;
    const auto literal = asio::ip::make_address(origin.host, not_literal);
    if (request.connect_to || !not_literal) {
        endpoints.emplace_back(request.connect_to.value_or(literal), origin.port);
        co_return endpoints;
    }
    const auto deadline = request.deadline.sooner(client->options.resolve_timeout);
    HEDDLE_CO_TRY(const auto addresses,
                  co_await async::with_deadline(deadline, client->resolver->resolve(origin.host)));
    for (const auto& address : addresses) endpoints.emplace_back(address, origin.port);
    co_return endpoints;
}

async::Task<Result<std::unique_ptr<Transport>>> open(std::shared_ptr<Client::Impl> client,
                                                     const ClientRequest& request) {
    HEDDLE_CO_TRY(auto endpoints, co_await endpoints_of(client, request));
    const auto deadline = request.deadline.sooner(client->options.connect_timeout);
    HEDDLE_CO_TRY(
        Tcp::socket socket,
        co_await async::with_deadline(deadline, client->connector->connect(std::move(endpoints))));
    if (!request.url.origin.tls) co_return plain_transport(std::move(socket));
    HEDDLE_CO_TRY(auto tls, client->tls());
    co_return co_await async::with_deadline(
        deadline, tls_connect(std::move(socket), std::move(tls), request.url.origin.host));
}

// Sends the request. A server may answer and close before it has read everything, so a failed
// write is only remembered by the read that follows.
async::Task<Result<>> write_request(Transport& transport, const ClientRequest& request,
                                    const ClientOptions& options) {
    const std::string head = head_of(request, options);
    const Pieces first = {head, request.body, {}};
    const IoOutcome outcome = co_await transport.write(first);
    if (outcome.ec || !request.body_source) co_return Result<>();
    std::uint64_t left = request.body_bytes;
    for (;;) {
        HEDDLE_CO_TRY(const std::string bytes, co_await request.body_source());
        if (bytes.size() > left || (bytes.empty() && left > 0)) {
            co_return fail(ErrorCode::kInternal, "a request body is not as long as announced");
        }
        if (bytes.empty()) co_return Result<>();
        left -= bytes.size();
        const Pieces piece = {bytes, {}, {}};
        if ((co_await transport.write(piece)).ec) co_return Result<>();
    }
}

tl::unexpected<Error> protocol_error(const Refusal& refusal) {
    return client_error("protocol_error",
                        "the server's answer is malformed: " + std::string(refusal.message()));
}

// Reads into `received` until a head that is not interim (1xx) is there; takes it off. The error's
// reason is "closed" when the connection ended before the first byte.
async::Task<Result<ResponseHead>> read_head(Transport& transport, std::string& received, Method to,
                                            const ClientOptions& options) {
    const HeadLimits limits{std::size_t{8} << 10, options.head_bytes_max, 256};
    HeadScanner scanner(limits);
    std::vector<char> chunk(kReadBytes);
    for (;;) {
        const auto end = scanner.scan(received);
        if (!end) co_return protocol_error(end.error());
        if (*end) {
            auto head =
                parse_response_head(std::string_view(received).substr(0, **end), to, limits);
            received.erase(0, **end);
            scanner.reset();
            if (!head) co_return protocol_error(head.error());
            if (head->status >= 200) co_return std::move(*head);
            if (head->status == 101) {
                co_return client_error("protocol_error", "the server switched protocols unasked");
            }
            continue;
        }
        const IoOutcome outcome = co_await transport.read_some(chunk);
        if (outcome.ec || outcome.bytes == 0) {
            const bool nothing = received.empty();
            co_return client_error(nothing ? "closed" : "protocol_error",
                                   "the server closed the connection without an answer");
        }
        received.append(chunk.data(), outcome.bytes);
    }
}

async::Task<Result<ClientResponse>> exchange(std::unique_ptr<ClientResponse::Impl> response,
                                             const ClientRequest& request) {
    Transport& transport = *response->transport;
    HEDDLE_CO_TRY_VOID(co_await write_request(transport, request, response->client->options));
    HEDDLE_CO_TRY(response->head, co_await read_head(transport, response->received, request.method,
                                                     response->client->options));
    response->decoder = BodyDecoder(response->head.framing);
    response->may_reuse = response->head.keep_alive && !request.no_reuse;
    boost::system::error_code ignored;
    response->peer = transport.socket().remote_endpoint(ignored);
    if (response->decoder.done()) response->finish();
    co_return ClientResponse(std::move(response));
}

async::Task<Result<ClientResponse>> send_once(std::shared_ptr<Client::Impl> client,
                                              const ClientRequest& request, ConnectionPool::Key key,
                                              std::unique_ptr<Transport> transport) {
    auto response = std::make_unique<ClientResponse::Impl>();
    response->client = std::move(client);
    response->key = std::move(key);
    response->transport = std::move(transport);
    response->deadline = request.deadline;
    co_return co_await exchange(std::move(response), request);
}

async::Task<Result<ClientResponse>> send_pooled(std::shared_ptr<Client::Impl> client,
                                                const ClientRequest& request) {
    const async::Executor executor = co_await asio::this_coro::executor;
    const ConnectionPool::Key key{request.url.origin,
                                  request.connect_to ? request.connect_to->to_string() : "",
                                  &asio::query(executor, asio::execution::context)};
    if (auto reused = client->pool.take(key)) {
        auto answer = co_await send_once(client, request, key, std::move(reused));
        // The server may have closed it while our request was on its way.
        const bool stale = !answer && answer.error().reason() == "closed";
        const bool repeatable = is_idempotent(request.method) && !request.body_source;
        if (!stale || !repeatable) co_return answer;
    }
    HEDDLE_CO_TRY(auto fresh, co_await open(client, request));
    co_return co_await send_once(client, request, key, std::move(fresh));
}

}  // namespace

tl::unexpected<Error> client_error(std::string_view reason, std::string message) {
    Error error(ErrorCode::kUpstream, std::move(message));
    return fail(std::move(error).with_reason(std::string(reason)));
}

Result<std::shared_ptr<TlsContext>> Client::Impl::tls() {
    const std::lock_guard lock(tls_mutex_);
    if (!tls_) {
        HEDDLE_TRY(tls_, TlsContext::for_client(options.ca_file));
    }
    return tls_;
}

Client::Client(ClientOptions options, std::shared_ptr<Resolver> resolver,
               std::shared_ptr<Connector> connector)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(resolver), std::move(connector))) {
}

Client::~Client() {
    impl_->pool.clear();
}

async::Task<Result<ClientResponse>> Client::send(ClientRequest request) {
    HEDDLE_CO_TRY_VOID(check(request));
    co_return co_await async::with_deadline(request.deadline, send_pooled(impl_, request));
}

void Client::close_idle() {
    impl_->pool.clear();
}

}  // namespace heddle::http
