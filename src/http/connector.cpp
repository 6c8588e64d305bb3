// The system's resolver and connector.
#include <memory>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "async/waiter.h"
#include "http/client.h"

namespace heddle::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

tl::unexpected<Error> upstream_error(std::string message, std::string reason) {
    return fail(Error(ErrorCode::kUpstream, std::move(message)).with_reason(std::move(reason)));
}

class SystemResolver final : public Resolver {
public:
    async::Task<Result<std::vector<asio::ip::address>>> resolve(std::string host) override {
        // getaddrinfo() cannot be interrupted: a cancelled caller leaves it to end by itself.
        struct Lookup {
            explicit Lookup(const async::Executor& executor) : resolver(executor) {}
            Tcp::resolver resolver;
            error_code ec;
            Tcp::resolver::results_type results;
            async::Waiter done;
        };
        const auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
        const auto finished = [lookup](error_code ec, Tcp::resolver::results_type results) {
            lookup->ec = ec;
            lookup->results = std::move(results);
            lookup->done.notify();
        };
        lookup->resolver.async_resolve(host, "", finished);
        co_await lookup->done.wait();
        std::vector<asio::ip::address> addresses;
        for (const auto& entry : lookup->results) addresses.push_back(entry.endpoint().address());
        if (lookup->ec || addresses.empty()) {
            co_return upstream_error("the host name cannot be resolved", "resolve_failed");
        }
        co_return addresses;
    }
};

async::Task<Result<Tcp::socket>> connect_one(Tcp::endpoint endpoint) {
    Tcp::socket socket(co_await asio::this_coro::executor);
    const auto [ec] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    if (ec) co_return upstream_error("cannot connect: " + ec.message(), "connect_failed");
    error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    co_return socket;
}

class SystemConnector final : public Connector {
public:
    async::Task<Result<Tcp::socket>> connect(std::vector<Tcp::endpoint> endpoints) override {
        // One address that does not answer must not use up the time of the others.
        constexpr auto kPerAddress = std::chrono::milliseconds(2'000);
        Result<Tcp::socket> last = upstream_error("no address to connect to", "connect_failed");
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            const bool is_last = i + 1 == endpoints.size();
            const auto patience =
                is_last ? async::Deadline::never() : async::Deadline::after(kPerAddress);
            last = co_await async::with_deadline(patience, connect_one(endpoints[i]));
            if (last) break;
        }
        co_return last;
    }
};

}  // namespace

std::shared_ptr<Resolver> system_resolver() {
    return std::make_shared<SystemResolver>();
}

std::shared_ptr<Connector> system_connector() {
    return std::make_shared<SystemConnector>();
}

}  // namespace heddle::http
