#include "http/transport.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <openssl/ssl.h>

namespace heddle::http {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::array<asio::const_buffer, 3> buffers_of(const Pieces& pieces) {
    return {asio::buffer(pieces[0]), asio::buffer(pieces[1]), asio::buffer(pieces[2])};
}

// An operation that ended because its coroutine was cancelled ends the coroutine too; one that
// was cancelled by Transport::cancel() is an outcome.
async::Task<> throw_if_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(Tcp::socket socket) : socket_(std::move(socket)) {}

    async::Task<IoOutcome> read_some(std::span<char> out) override {
        const auto [ec, bytes] =
            co_await socket_.async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
        if (ec == asio::error::operation_aborted) co_await throw_if_cancelled();
        co_return IoOutcome{ec, bytes};
    }

    async::Task<IoOutcome> write(Pieces pieces) override {
        const auto [ec, bytes] = co_await asio::async_write(socket_, buffers_of(pieces), kAsTuple);
        if (ec == asio::error::operation_aborted) co_await throw_if_cancelled();
        co_return IoOutcome{ec, bytes};
    }

    async::Task<> shutdown() override {
        error_code ignored;
        socket_.shutdown(Tcp::socket::shutdown_send, ignored);
        co_return;
    }

    void cancel() override {
        error_code ignored;
        socket_.cancel(ignored);
    }

    void close() override {
        error_code ignored;
        socket_.close(ignored);
    }

    Tcp::socket& socket() override { return socket_; }

private:
    Tcp::socket socket_;
};

class TlsTransport final : public Transport {
public:
    TlsTransport(Tcp::socket socket, std::shared_ptr<TlsContext> context, ssl::context& ssl_context)
        : context_(std::move(context)), stream_(std::move(socket), ssl_context) {}

    async::Task<IoOutcome> read_some(std::span<char> out) override {
        const auto [ec, bytes] =
            co_await stream_.async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
        if (ec == asio::error::operation_aborted) co_await throw_if_cancelled();
        co_return IoOutcome{ec, bytes};
    }

    // One record for small messages: TLS would send each piece as a record of its own.
    async::Task<IoOutcome> write(Pieces pieces) override {
        constexpr std::size_t kJoinMax = std::size_t{16} << 10;
        const std::size_t total = pieces[0].size() + pieces[1].size() + pieces[2].size();
        if (total <= kJoinMax) {
            joined_.clear();
            for (const std::string_view piece : pieces) joined_ += piece;
            pieces = {joined_, {}, {}};
        }
        const auto [ec, bytes] = co_await asio::async_write(stream_, buffers_of(pieces), kAsTuple);
        if (ec == asio::error::operation_aborted) co_await throw_if_cancelled();
        co_return IoOutcome{ec, bytes};
    }

    // The close_notify goes out without waiting for the peer's.
    async::Task<> shutdown() override {
        SSL_shutdown(stream_.native_handle());
        const auto [ec, bytes] =
            co_await asio::async_write(stream_, asio::const_buffer(), kAsTuple);
        static_cast<void>(ec);
        static_cast<void>(bytes);
        error_code ignored;
        stream_.next_layer().shutdown(Tcp::socket::shutdown_send, ignored);
    }

    void cancel() override {
        error_code ignored;
        stream_.next_layer().cancel(ignored);
    }

    void close() override {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }

    Tcp::socket& socket() override { return stream_.next_layer(); }
    ssl::stream<Tcp::socket>& stream() { return stream_; }

private:
    std::shared_ptr<TlsContext> context_;
    ssl::stream<Tcp::socket> stream_;
    std::string joined_;
};

tl::unexpected<Error> tls_failure(const error_code& ec) {
    Error error(ErrorCode::kUpstream, "the TLS handshake failed: " + ec.message());
    return fail(std::move(error).with_reason("tls_failed"));
}

}  // namespace

struct TlsContext::Impl {
    explicit Impl(ssl::context::method method) : context(method) {}
    ssl::context context;
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::for_client(const std::string& ca_file) {
    auto impl = std::make_unique<Impl>(ssl::context::tls_client);
    error_code ec;
    SSL_CTX_set_min_proto_version(impl->context.native_handle(), TLS1_2_VERSION);
    impl->context.set_verify_mode(ssl::verify_peer, ec);
    if (ca_file.empty()) {
        impl->context.set_default_verify_paths(ec);
    } else {
        impl->context.load_verify_file(ca_file, ec);
    }
    if (ec) return fail(ErrorCode::kIo, "cannot load certificate authorities: " + ec.message());
    return std::make_shared<TlsContext>(std::move(impl));
}

Result<std::shared_ptr<TlsContext>> TlsContext::for_server(const std::string& certificate_file,
                                                           const std::string& key_file) {
    auto impl = std::make_unique<Impl>(ssl::context::tls_server);
    error_code ec;
    SSL_CTX_set_min_proto_version(impl->context.native_handle(), TLS1_2_VERSION);
    impl->context.use_certificate_chain_file(certificate_file, ec);
    if (ec) return fail(ErrorCode::kIo, "cannot load the certificate: " + ec.message());
    impl->context.use_private_key_file(key_file, ssl::context::pem, ec);
    if (ec) return fail(ErrorCode::kIo, "cannot load the private key: " + ec.message());
    return std::make_shared<TlsContext>(std::move(impl));
}

std::unique_ptr<Transport> plain_transport(Tcp::socket socket) {
    return std::make_unique<PlainTransport>(std::move(socket));
}

async::Task<Result<std::unique_ptr<Transport>>> tls_connect(Tcp::socket socket,
                                                            std::shared_ptr<TlsContext> context,
                                                            std::string name) {
    auto& ssl_context = context->impl().context;
    auto transport =
        std::make_unique<TlsTransport>(std::move(socket), std::move(context), ssl_context);
    auto& stream = transport->stream();
    error_code ec;
    asio::ip::make_address(name, ec);
    // RFC 6066 allows no literal addresses in SNI.
    if (ec && SSL_set_tlsext_host_name(stream.native_handle(), name.c_str()) != 1) {
        co_return fail(ErrorCode::kInternal, "cannot set the TLS server name");
    }
    stream.set_verify_callback(ssl::host_name_verification(name));
    const auto [failure] = co_await stream.async_handshake(ssl::stream_base::client, kAsTuple);
    if (failure == asio::error::operation_aborted) co_await throw_if_cancelled();
    if (failure) co_return tls_failure(failure);
    co_return transport;
}

async::Task<Result<std::unique_ptr<Transport>>> tls_accept(Tcp::socket socket,
                                                           std::shared_ptr<TlsContext> context) {
    auto& ssl_context = context->impl().context;
    auto transport =
        std::make_unique<TlsTransport>(std::move(socket), std::move(context), ssl_context);
    const auto [failure] =
        co_await transport->stream().async_handshake(ssl::stream_base::server, kAsTuple);
    if (failure == asio::error::operation_aborted) co_await throw_if_cancelled();
    if (failure) co_return tls_failure(failure);
    co_return transport;
}

}  // namespace heddle::http
