// A byte stream to a peer, plain or TLS, behind one interface: what stands above it is compiled
// once and knows neither.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "async/task.h"
#include "base/result.h"

namespace heddle::http {

using Tcp = boost::asio::ip::tcp;

struct IoOutcome {
    boost::system::error_code ec;
    std::size_t bytes = 0;
};

// What leaves together; empty pieces are skipped.
using Pieces = std::array<std::string_view, 3>;

// Lives on the executor of its socket. One read and one write may be in flight at a time. A
// cancelled coroutine gets boost::system::system_error(operation_aborted) as everywhere.
class Transport {
public:
    virtual ~Transport() = default;

    // Some bytes into `out`; ec is asio::error::eof at an orderly end.
    virtual async::Task<IoOutcome> read_some(std::span<char> out) = 0;
    // All bytes of all pieces, in one system call where they fit.
    virtual async::Task<IoOutcome> write(Pieces pieces) = 0;
    // Says that nothing more will be written (TCP half-close; TLS close_notify). Never throws.
    virtual async::Task<> shutdown() = 0;

    // Pending operations end with operation_aborted.
    virtual void cancel() = 0;
    virtual void close() = 0;

    [[nodiscard]] virtual Tcp::socket& socket() = 0;
};

// Keeps certificates and settings; shared by all connections. Thread-safe after construction.
class TlsContext {
public:
    // Verifies servers by the system's authorities, or by those in the PEM file.
    [[nodiscard]] static Result<std::shared_ptr<TlsContext>> for_client(
        const std::string& ca_file = {});
    // Serves the PEM certificate chain and key.
    [[nodiscard]] static Result<std::shared_ptr<TlsContext>> for_server(
        const std::string& certificate_file, const std::string& key_file);

    struct Impl;
    explicit TlsContext(std::unique_ptr<Impl> impl);
    ~TlsContext();
    [[nodiscard]] Impl& impl() const { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

[[nodiscard]] std::unique_ptr<Transport> plain_transport(Tcp::socket socket);

// Performs the handshake as a client: `name` goes into SNI (unless it is an address) and must be
// in the certificate. Cancellable; the caller gives the deadline.
async::Task<Result<std::unique_ptr<Transport>>> tls_connect(Tcp::socket socket,
                                                            std::shared_ptr<TlsContext> context,
                                                            std::string name);
async::Task<Result<std::unique_ptr<Transport>>> tls_accept(Tcp::socket socket,
                                                           std::shared_ptr<TlsContext> context);

}  // namespace heddle::http
