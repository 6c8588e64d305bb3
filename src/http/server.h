// An HTTP/1.1 server: one listener socket for each address, connections dealt out to the
// runtime's I/O threads and pinned there.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "base/result.h"
#include "http/message_head.h"
#include "http/router.h"
#include "http/transport.h"

namespace heddle::http {

struct ServerOptions {
    HeadLimits head;
    std::chrono::milliseconds first_byte_timeout{10'000};
    std::chrono::milliseconds head_timeout{10'000};
    std::chrono::milliseconds idle_timeout{60'000};
    std::chrono::milliseconds write_stall_timeout{30'000};
    // A body may take this long, and as long again as its bytes at the least rate.
    std::chrono::milliseconds body_grace{10'000};
    std::uint64_t body_bytes_per_second_min = 1024;
    // Silence after which an event stream gets a comment and a WebSocket a ping.
    std::chrono::milliseconds keep_alive_interval{15'000};
    // How often deadlines are looked at.
    std::chrono::milliseconds tick{250};
    std::size_t connections_max = 10'000;
    // Loopback is exempt: reverse proxies and local tools connect from there.
    std::size_t connections_per_address_max = 256;
    // Names that a Host field may carry, without port ("localhost", "127.0.0.1", "[::1]"); others
    // get 421, which stops DNS rebinding. Empty: any name.
    std::vector<std::string> hosts;
    // Null: plain HTTP.
    std::shared_ptr<TlsContext> tls;
};

// start, listen and stop are called from one thread that is not an I/O thread.
class Server {
public:
    Server(async::Runtime& runtime, ServerOptions options, Handler handler,
           ErrorResponder on_error);
    // stop() must have been called when anything was listened to.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Binds and accepts from now on; port 0 picks one. The port that was bound.
    [[nodiscard]] Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);

    // Refuses new connections, closes idle ones, lets running requests finish for so long, cancels
    // the rest and waits until all is over. Blocks. Idempotent.
    void stop(std::chrono::milliseconds grace);

    [[nodiscard]] std::size_t connections() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::http
