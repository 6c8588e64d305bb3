// An HTTP proxy on loopback for a browser that renders foreign pages: whatever the page asks for
// passes the same rules as what a user names. Names are resolved here, every answer must be public,
// and the connection goes to a checked address.
//
// HTTP/1.1 (RFC 9112): CONNECT for TLS, and GET or HEAD of an absolute http URL. One request a
// connection; everything is bounded in bytes and time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "async/task_group.h"
#include "base/result.h"
#include "fetch/address_rules.h"
#include "fetch/checked_connector.h"
#include "http/client.h"

namespace heddle::fetch {

struct GuardProxyOptions {
    // For the page's own host alone, when the operator lets it be asked wherever it is.
    AllowList allow;
    std::size_t connections_max = 64;
    std::uint64_t bytes_max = 32ULL << 20;  // of all connections together, both ways
    std::chrono::milliseconds resolve_timeout{3'000};
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds connection_timeout{20'000};
};

// Lives and dies on one executor.
class GuardProxy {
public:
    GuardProxy(async::Executor executor, GuardProxyOptions options,
               std::shared_ptr<http::Resolver> resolver,
               std::shared_ptr<http::Connector> connector = checked_connector());
    ~GuardProxy();
    GuardProxy(const GuardProxy&) = delete;
    GuardProxy& operator=(const GuardProxy&) = delete;

    // Listens on a free port of 127.0.0.1 and answers from now on.
    [[nodiscard]] Result<std::uint16_t> start();
    // Ends every connection; returns when they have ended.
    async::Task<> stop();

    // Requests that were not passed on.
    [[nodiscard]] std::size_t refused() const { return refused_; }

private:
    using Socket = boost::asio::ip::tcp::socket;
    struct Wanted;

    async::Task<> accept();
    async::Task<> serve(Socket client);
    async::Task<Result<>> answer(Socket& client);
    async::Task<Result<Socket>> reach(Wanted wanted);
    async::Task<> relay(Socket& from, Socket& to);

    const GuardProxyOptions options_;
    const std::vector<Address> own_;
    const std::shared_ptr<http::Resolver> resolver_;
    const std::shared_ptr<http::Connector> connector_;
    boost::asio::ip::tcp::acceptor acceptor_;
    async::TaskGroup tasks_;
    std::size_t connections_ = 0;
    std::uint64_t bytes_ = 0;
    std::size_t refused_ = 0;
};

}  // namespace heddle::fetch
