#include "fetch/fake_internet_testing.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/check.h"

namespace heddle::fetch {

struct FakeInternet::Names final : http::Resolver {
    std::mutex mutex;
    std::map<std::string, std::vector<std::vector<std::string>>> answers;
    std::vector<std::string> lookups;

    async::Task<Result<std::vector<boost::asio::ip::address>>> resolve(std::string host) override {
        const std::lock_guard lock(mutex);
        lookups.push_back(host);
        const auto found = answers.find(host);
        if (found == answers.end()) co_return fail(ErrorCode::kUpstream, "no such name");
        std::vector<boost::asio::ip::address> out;
        for (const auto& text : found->second.front()) {
            out.push_back(boost::asio::ip::make_address(text));
        }
        if (found->second.size() > 1) found->second.erase(found->second.begin());
        co_return out;
    }
};

struct FakeInternet::Wires final : http::Connector {
    std::mutex mutex;
    std::vector<std::string> connections;
    std::uint16_t port = 0;
    std::shared_ptr<http::Connector> system = http::system_connector();

    async::Task<Result<http::Tcp::socket>> connect(
        std::vector<http::Tcp::endpoint> endpoints) override {
        {
            const std::lock_guard lock(mutex);
            const auto& to = endpoints.at(0);
            connections.push_back(to.address().to_string() + ":" + std::to_string(to.port()));
        }
        std::vector<http::Tcp::endpoint> here{{boost::asio::ip::make_address("127.0.0.1"), port}};
        co_return co_await system->connect(std::move(here));
    }
};

FakeInternet::FakeInternet()
    : names_(std::make_shared<Names>()),
      wires_(std::make_shared<Wires>()),
      listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool ok = ::bind(listener_, generic, length) == 0 && ::listen(listener_, 64) == 0 &&
                    ::getsockname(listener_, generic, &length) == 0;
    HEDDLE_CHECK(ok, "a loopback port can be bound");
    wires_->port = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

FakeInternet::~FakeInternet() {
    stopping_ = true;
    acceptor_.join();
    for (auto& thread : threads_) thread.join();
    ::close(listener_);
}

void FakeInternet::name(const std::string& host, std::vector<std::vector<std::string>> answers) {
    const std::lock_guard lock(names_->mutex);
    names_->answers[host] = std::move(answers);
}

void FakeInternet::serve(Site site) {
    const std::lock_guard lock(mutex_);
    site_ = std::move(site);
}

std::shared_ptr<http::Resolver> FakeInternet::resolver() {
    return names_;
}
std::shared_ptr<http::Connector> FakeInternet::connector() {
    return wires_;
}

std::vector<std::string> FakeInternet::connections() const {
    const std::lock_guard lock(wires_->mutex);
    return wires_->connections;
}

std::vector<std::string> FakeInternet::lookups() const {
    const std::lock_guard lock(names_->mutex);
    return names_->lookups;
}

std::vector<std::string> FakeInternet::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

FakeInternet::Reply FakeInternet::page(const std::string& body, const std::string& headers,
                                       const std::string& status, const std::string& type) {
    return {{"HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body}};
}

FakeInternet::Reply FakeInternet::redirect(const std::string& location, const std::string& status) {
    return {{"HTTP/1.1 " + status + "\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n"}};
}

void FakeInternet::accept_all() {
    while (!stopping_) {
        pollfd waiting = {listener_, POLLIN, 0};
        if (::poll(&waiting, 1, 20) <= 0) continue;
        const int connection = ::accept(listener_, nullptr, nullptr);
        if (connection >= 0) threads_.emplace_back([this, connection] { answer(connection); });
    }
}

void FakeInternet::answer(int connection) {
    const int now = ++at_once_;
    for (int seen = at_once_max_; now > seen && !at_once_max_.compare_exchange_weak(seen, now);) {
    }
    std::string head;
    std::array<char, 4096> chunk;
    while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(connection, chunk.data(), chunk.size(), 0);
        if (got <= 0) break;
        head.append(chunk.data(), static_cast<std::size_t>(got));
    }
    Reply reply;
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(head);
        if (site_) reply = site_(head);
    }
    for (const std::string& piece : reply.pieces) {
        if (stopping_ || ::send(connection, piece.data(), piece.size(), MSG_NOSIGNAL) <= 0) break;
        if (reply.pause_ms > 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(reply.pause_ms));
        }
    }
    --at_once_;
    ::shutdown(connection, SHUT_RDWR);
    ::close(connection);
}

}  // namespace heddle::fetch
