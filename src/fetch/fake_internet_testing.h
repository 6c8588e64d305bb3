// Names, addresses and sites of a test: a resolver that answers by script, and a connector that
// leads every address to a server on loopback and writes down where it was asked to go.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"

namespace heddle::fetch {

class FakeInternet {
public:
    // What a server sends: pieces with pauses between them, then it closes.
    struct Reply {
        std::vector<std::string> pieces;
        int pause_ms = 0;
    };
    using Site = std::function<Reply(const std::string& head)>;

    FakeInternet();
    ~FakeInternet();
    FakeInternet(const FakeInternet&) = delete;
    FakeInternet& operator=(const FakeInternet&) = delete;

    // Each lookup takes the next answer; the last one stays.
    void name(const std::string& host, std::vector<std::vector<std::string>> answers);
    // All hosts are served by one site; it sees the request's head.
    void serve(Site site);

    [[nodiscard]] std::shared_ptr<http::Resolver> resolver();
    [[nodiscard]] std::shared_ptr<http::Connector> connector();

    // "93.184.216.34:80" in order.
    [[nodiscard]] std::vector<std::string> connections() const;
    [[nodiscard]] std::vector<std::string> lookups() const;
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] int at_once_max() const { return at_once_max_; }

    // "200 OK", headers and a body with its length.
    static Reply page(const std::string& body, const std::string& headers = "",
                      const std::string& status = "200 OK",
                      const std::string& type = "text/html; charset=utf-8");
    static Reply redirect(const std::string& location, const std::string& status = "302 Found");

    struct Names;
    struct Wires;

private:
    void accept_all();
    void answer(int connection);

    mutable std::mutex mutex_;
    Site site_;
    std::vector<std::string> requests_;
    std::shared_ptr<Names> names_;
    std::shared_ptr<Wires> wires_;
    int listener_ = -1;
    std::atomic<bool> stopping_{false};
    std::atomic<int> at_once_{0};
    std::atomic<int> at_once_max_{0};
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace heddle::fetch
