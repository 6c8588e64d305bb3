#include "http/server.h"

#include <algorithm>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "async/deadline.h"
#include "async/task_group.h"
#include "base/check.h"
#include "base/log.h"
#include "http/connection.h"

namespace heddle::http {
namespace {

namespace asio = boost::asio;

// How many connections are open, in all and from each address. Thread-safe.
class ConnectionLedger {
public:
    ConnectionLedger(std::size_t total_max, std::size_t per_address_max)
        : total_max_(total_max), per_address_max_(per_address_max) {}

    // Counts it in; false when it is over a limit.
    bool admit(const asio::ip::address& address) {
        const std::lock_guard lock(mutex_);
        std::size_t& of_address = by_address_[address];
        const bool exempt = address.is_loopback();
        if (total_ >= total_max_ || (!exempt && of_address >= per_address_max_)) {
            if (of_address == 0) by_address_.erase(address);
            return false;
        }
        ++total_;
        ++of_address;
        return true;
    }

    void release(const asio::ip::address& address) {
        const std::lock_guard lock(mutex_);
        --total_;
        const auto found = by_address_.find(address);
        if (--found->second == 0) by_address_.erase(found);
    }

    [[nodiscard]] std::size_t total() const {
        const std::lock_guard lock(mutex_);
        return total_;
    }

private:
    const std::size_t total_max_;
    const std::size_t per_address_max_;
    mutable std::mutex mutex_;
    std::size_t total_ = 0;                                // guarded by mutex_
    std::map<asio::ip::address, std::size_t> by_address_;  // guarded by mutex_
};

// The connections of one I/O thread. All members are used there.
class Shard {
public:
    Shard(asio::io_context& io, const ServerOptions& options, const Handler& handler,
          const ErrorResponder& on_error, ConnectionLedger& ledger)
        : io_(io),
          ledger_(ledger),
          tasks_(io.get_executor(), "http"),
          housekeeping_(io.get_executor(), "http"),
          environment_{options, handler, on_error, tasks_} {}

    [[nodiscard]] asio::io_context& io() { return io_; }

    void spawn_housekeeping(async::Task<> task) { housekeeping_.spawn(std::move(task)); }
    void begin() { housekeeping_.spawn(tick()); }
    void take(Tcp::socket socket, asio::ip::address peer) {
        // One that was accepted while the listener closed is dropped.
        if (environment_.draining) return ledger_.release(peer);
        tasks_.spawn(serve(std::move(socket), std::move(peer)));
    }

    async::Task<> stop(std::chrono::milliseconds grace);

private:
    async::Task<> tick();
    async::Task<> serve(Tcp::socket socket, asio::ip::address peer);

    asio::io_context& io_;
    ConnectionLedger& ledger_;
    async::TaskGroup tasks_;         // connections
    async::TaskGroup housekeeping_;  // ticks and acceptors
    ConnectionEnvironment environment_;
    std::list<std::shared_ptr<Connection>> connections_;
};

async::Task<> Shard::tick() {
    for (;;) {
        co_await async::sleep_for(environment_.options.tick);
        const SteadyTime now = std::chrono::steady_clock::now();
        for (const auto& connection : connections_) connection->tick(now);
    }
}

async::Task<> Shard::serve(Tcp::socket socket, asio::ip::address peer) {
    struct Release {
        ConnectionLedger& ledger;
        const asio::ip::address& address;
        ~Release() { ledger.release(address); }
    };
    const Release release{ledger_, peer};
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    std::unique_ptr<Transport> transport;
    if (const auto& tls = environment_.options.tls) {
        const auto deadline = async::Deadline::after(environment_.options.first_byte_timeout);
        auto accepted = co_await async::with_deadline(deadline, tls_accept(std::move(socket), tls));
        if (!accepted) co_return;
        transport = std::move(*accepted);
    } else {
        transport = plain_transport(std::move(socket));
    }
    const auto connection = std::make_shared<Connection>(environment_, std::move(transport), peer);
    const auto place = connections_.insert(connections_.end(), connection);
    struct Leave {
        std::list<std::shared_ptr<Connection>>& list;
        std::list<std::shared_ptr<Connection>>::iterator place;
        ~Leave() { list.erase(place); }
    };
    const Leave leave{connections_, place};
    co_await connection->run();
}

async::Task<> Shard::stop(std::chrono::milliseconds grace) {
    environment_.draining = true;
    for (const auto& connection : connections_) connection->drain();
    const auto deadline = async::Deadline::after(grace);
    const auto ended = co_await async::with_deadline(deadline, tasks_.join());
    if (!ended && tasks_.size() > 0) {
        log::warn("http", "requests are cut off at shutdown", {{"connections", tasks_.size()}});
        tasks_.cancel();
        co_await tasks_.join();
    }
    housekeeping_.cancel();
    co_await housekeeping_.join();
}

}  // namespace

class Server::Impl {
public:
    Impl(async::Runtime& runtime, ServerOptions options, Handler handler, ErrorResponder on_error)
        : options_(std::move(options)),
          handler_(std::move(handler)),
          on_error_(std::move(on_error)),
          ledger_(options_.connections_max, options_.connections_per_address_max) {
        for (std::size_t i = 0; i < runtime.io_threads(); ++i) {
            shards_.push_back(
                std::make_unique<Shard>(runtime.io(i), options_, handler_, on_error_, ledger_));
        }
    }
    ~Impl() { HEDDLE_CHECK(!started_ || stopped_, "a Server died before it was stopped"); }

    Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
    void stop(std::chrono::milliseconds grace);
    [[nodiscard]] std::size_t connections() const { return ledger_.total(); }

private:
    async::Task<> accept_all(std::shared_ptr<Tcp::acceptor> acceptor);
    void start();

    const ServerOptions options_;
    const Handler handler_;
    const ErrorResponder on_error_;
    ConnectionLedger ledger_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::shared_ptr<Tcp::acceptor>> acceptors_;  // live on shard 0's thread
    std::size_t next_shard_ = 0;                             // shard 0's thread
    bool started_ = false;
    bool stopped_ = false;
};

Result<std::uint16_t> Server::Impl::listen(const std::string& address, std::uint16_t port) {
    HEDDLE_CHECK(!stopped_, "a stopped server does not listen again");
    boost::system::error_code ec;
    const auto ip = asio::ip::make_address(address, ec);
    if (ec) return fail(ErrorCode::kInvalidArgument, address + " is not an IP address");
    const Tcp::endpoint endpoint(ip, port);
    auto acceptor = std::make_shared<Tcp::acceptor>(shards_[0]->io());
    acceptor->open(endpoint.protocol(), ec);
    if (!ec) acceptor->set_option(Tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor->bind(endpoint, ec);
    if (!ec) acceptor->listen(1024, ec);
    if (ec) {
        const std::string place = address + ":" + std::to_string(port);
        return fail(ErrorCode::kUnavailable, "cannot listen on " + place + ": " + ec.message());
    }
    start();
    acceptors_.push_back(acceptor);
    asio::post(shards_[0]->io(),
               [this, acceptor] { shards_[0]->spawn_housekeeping(accept_all(acceptor)); });
    return acceptor->local_endpoint().port();
}

void Server::Impl::start() {
    if (std::exchange(started_, true)) return;
    for (const auto& shard : shards_) {
        asio::post(shard->io(), [&shard = *shard] { shard.begin(); });
    }
}

async::Task<> Server::Impl::accept_all(std::shared_ptr<Tcp::acceptor> acceptor) {
    constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
    while (acceptor->is_open()) {
        Shard& shard = *shards_[next_shard_++ % shards_.size()];
        Tcp::socket socket(shard.io());
        const auto [ec] = co_await acceptor->async_accept(socket, kTuple);
        if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) co_return;
        if (ec) {
            // Out of descriptors, most likely: give connections time to end.
            log::warn("http", "cannot accept a connection", {{"reason", ec.message()}});
            co_await async::sleep_for(std::chrono::milliseconds(50));
            continue;
        }
        boost::system::error_code gone;
        const Tcp::endpoint peer = socket.remote_endpoint(gone);
        if (gone || !ledger_.admit(peer.address())) continue;  // closes it
        auto hand_over = [&shard, socket = std::move(socket), address = peer.address()]() mutable {
            shard.take(std::move(socket), std::move(address));
        };
        asio::post(shard.io(), std::move(hand_over));
    }
}

void Server::Impl::stop(std::chrono::milliseconds grace) {
    if (!started_ || std::exchange(stopped_, true)) return;
    const auto close_acceptors = [this] {
        boost::system::error_code ignored;
        for (const auto& acceptor : acceptors_) acceptor->close(ignored);
    };
    asio::post(shards_[0]->io(), asio::use_future(close_acceptors)).get();
    std::vector<std::future<void>> ends;
    for (const auto& shard : shards_) {
        ends.push_back(asio::co_spawn(shard->io(), shard->stop(grace), asio::use_future));
    }
    for (auto& end : ends) end.get();
}

Server::Server(async::Runtime& runtime, ServerOptions options, Handler handler,
               ErrorResponder on_error)
    : impl_(std::make_unique<Impl>(runtime, std::move(options), std::move(handler),
                                   std::move(on_error))) {}

Server::~Server() = default;

Result<std::uint16_t> Server::listen(const std::string& address, std::uint16_t port) {
    return impl_->listen(address, port);
}

void Server::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}

std::size_t Server::connections() const {
    return impl_->connections();
}

}  // namespace heddle::http
