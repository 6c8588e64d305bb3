#include "fetch/guard_proxy.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "async/deadline.h"
#include "base/log.h"
#include "fetch/address_lookup.h"

namespace heddle::fetch {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kHeadBytesMax = 32U << 10;
constexpr std::size_t kPieceBytes = 16U << 10;
constexpr auto kQuietly = asio::as_tuple(asio::use_awaitable);

tl::unexpected<Error> refusal(std::string message) {
    return fail(Error(ErrorCode::kPermissionDenied, std::move(message)).with_reason("refused_url"));
}

// Fields that are between the browser and its proxy.
bool is_for_proxy(std::string_view line) {
    std::string name(line.substr(0, line.find(':')));
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return name.starts_with("proxy-") || name == "connection" || name == "keep-alive" ||
           name == "upgrade" || name == "te" || name == "host";
}

}  // namespace

// What a request asks for.
struct GuardProxy::Wanted {
    markup::Url url;
    bool tunnel = false;
    std::string head;  // to be sent on; empty for a tunnel
};

namespace {

std::string host_field(const markup::Url& url) {
    const auto port = url.explicit_port();
    return port ? url.host() + ":" + std::to_string(*port) : url.host();
}

// The request's fields, one line each, without those for the proxy.
std::string fields_of(std::string_view head) {
    std::string fields;
    head.remove_prefix(std::min(head.find("\r\n") + 2, head.size()));
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        if (line.empty() || end == std::string_view::npos) break;
        if (!is_for_proxy(line)) fields += std::string(line) + "\r\n";
        head.remove_prefix(end + 2);
    }
    return fields;
}

}  // namespace

GuardProxy::GuardProxy(async::Executor executor, GuardProxyOptions options,
                       std::shared_ptr<http::Resolver> resolver,
                       std::shared_ptr<http::Connector> connector)
    : options_(std::move(options)),
      own_(own_addresses()),
      resolver_(std::move(resolver)),
      connector_(std::move(connector)),
      acceptor_(executor),
      tasks_(executor, "fetch") {}

GuardProxy::~GuardProxy() = default;

Result<std::uint16_t> GuardProxy::start() {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), 0);
    boost::system::error_code ec;
    acceptor_.open(here.protocol(), ec);
    if (!ec) acceptor_.bind(here, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return fail(ErrorCode::kIo, "the guard proxy cannot listen");
    tasks_.spawn(accept());
    return acceptor_.local_endpoint().port();
}

async::Task<> GuardProxy::stop() {
    boost::system::error_code ec;
    acceptor_.close(ec);
    tasks_.cancel();
    co_await tasks_.join();
}

async::Task<> GuardProxy::accept() {
    for (;;) {
        auto [ec, client] = co_await acceptor_.async_accept(kQuietly);
        if (ec) co_return;
        if (connections_ >= options_.connections_max) continue;  // closed with its socket
        ++connections_;
        tasks_.spawn(serve(std::move(client)));
    }
}

async::Task<> GuardProxy::serve(Socket client) {
    struct Count {
        std::size_t& connections;
        ~Count() { --connections; }
    };
    const Count count{connections_};
    const auto patience = async::Deadline::after(options_.connection_timeout);
    const Result<> done = co_await async::with_deadline(patience, answer(client));
    if (done || done.error().code() == ErrorCode::kDeadlineExceeded) co_return;
    ++refused_;
    log::info("fetch", "a page's request was refused", {{"reason", done.error().message()}});
    static constexpr std::string_view kRefusal =
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(kRefusal), kQuietly);
}

namespace {

// "CONNECT host:443 HTTP/1.1" or "GET http://host/path HTTP/1.1".
struct RequestLine {
    std::string_view method;
    std::string_view target;
};

Result<RequestLine> parse_line(std::string_view head) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t first = line.find(' ');
    const std::size_t second = line.rfind(' ');
    if (first == std::string_view::npos || second <= first ||
        !line.substr(second + 1).starts_with("HTTP/1."))
        return refusal("no request line");
    return RequestLine{line.substr(0, first), line.substr(first + 1, second - first - 1)};
}

}  // namespace

async::Task<Result<>> GuardProxy::answer(Socket& client) {
    using namespace asio::experimental::awaitable_operators;
    std::string head;
    const auto [ec, bytes] = co_await asio::async_read_until(
        client, asio::dynamic_buffer(head, kHeadBytesMax), "\r\n\r\n", kQuietly);
    if (ec) co_return Result<>();
    const std::string early = head.substr(bytes);
    head.resize(bytes);
    HEDDLE_CO_TRY(const RequestLine line, parse_line(head));
    const bool tunnel = line.method == "CONNECT";
    if (!tunnel && line.method != "GET" && line.method != "HEAD")
        co_return refusal("only GET and HEAD are passed on");
    const std::string address =
        tunnel ? "https://" + std::string(line.target) + "/" : std::string(line.target);
    HEDDLE_CO_TRY(markup::Url url, markup::Url::parse(address));
    if (!tunnel && url.scheme() != "http") co_return refusal("not an http URL");
    if (tunnel && (url.path() != "/" || url.query() || url.fragment()))
        co_return refusal("not a host and port");
    Wanted wanted{.url = url, .tunnel = tunnel};
    if (!tunnel) {
        wanted.head = std::string(line.method) + " " + url.target() +
                      " HTTP/1.1\r\nHost: " + host_field(url) + "\r\nConnection: close\r\n" +
                      fields_of(head) + "\r\n";
    }
    HEDDLE_CO_TRY(Socket server, co_await reach(wanted));
    if (!tunnel) {
        co_await asio::async_write(server, asio::buffer(wanted.head), kQuietly);
        co_await relay(server, client);
        co_return Result<>();
    }
    static constexpr std::string_view kOpen = "HTTP/1.1 200 Connection established\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(kOpen), kQuietly);
    if (!early.empty()) co_await asio::async_write(server, asio::buffer(early), kQuietly);
    co_await (relay(client, server) && relay(server, client));
    co_return Result<>();
}

async::Task<Result<GuardProxy::Socket>> GuardProxy::reach(Wanted wanted) {
    const bool allowed = options_.allow.has(wanted.url);
    HEDDLE_CO_TRY_VOID(check_url(wanted.url, allowed));
    HEDDLE_CO_TRY(const auto addresses,
                  co_await look_up(resolver_, own_, wanted.url, allowed, options_.resolve_timeout));
    std::vector<tcp::endpoint> endpoints;
    for (const Address& address : addresses) endpoints.emplace_back(address, wanted.url.port());
    const auto patience = async::Deadline::after(options_.connect_timeout);
    co_return co_await async::with_deadline(patience, connector_->connect(std::move(endpoints)));
}

async::Task<> GuardProxy::relay(Socket& from, Socket& to) {
    std::array<char, kPieceBytes> piece;
    boost::system::error_code ignored;
    for (;;) {
        const auto [ec, bytes] = co_await from.async_read_some(asio::buffer(piece), kQuietly);
        bytes_ += bytes;
        if (ec || bytes_ > options_.bytes_max) break;
        const auto [failed, written] =
            co_await asio::async_write(to, asio::buffer(piece.data(), bytes), kQuietly);
        if (failed) break;
    }
    to.shutdown(Socket::shutdown_send, ignored);
    if (bytes_ > options_.bytes_max) from.close(ignored);
}

}  // namespace heddle::fetch
