// What Client and ClientResponse share behind their headers.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/body_decoder.h"
#include "http/client.h"
#include "http/connection_pool.h"
#include "http/message_head.h"

namespace heddle::http {

struct Client::Impl {
    Impl(ClientOptions client_options, std::shared_ptr<Resolver> names,
         std::shared_ptr<Connector> sockets)
        : options(std::move(client_options)),
          resolver(std::move(names)),
          connector(std::move(sockets)),
          pool(options.idle_per_origin_max, options.idle_max) {}

    // Made at the first use: reading the authorities takes tens of milliseconds.
    [[nodiscard]] Result<std::shared_ptr<TlsContext>> tls();

    const ClientOptions options;
    const std::shared_ptr<Resolver> resolver;
    const std::shared_ptr<Connector> connector;
    ConnectionPool pool;

private:
    std::mutex tls_mutex_;
    std::shared_ptr<TlsContext> tls_;  // guarded by tls_mutex_
};

// A response whose head is here, on the connection that its body still comes from.
struct ClientResponse::Impl {
    std::shared_ptr<Client::Impl> client;
    ConnectionPool::Key key;
    std::unique_ptr<Transport> transport;  // null when given back or broken
    Tcp::endpoint peer;
    ResponseHead head;
    BodyDecoder decoder;
    std::string received;  // behind the head, not decoded yet
    async::Deadline deadline = async::Deadline::never();
    bool may_reuse = false;

    // Reads more of the body into `received`. False at the end of the connection.
    async::Task<Result<bool>> read_more();
    // The body has ended: keeps the connection if it can be used again.
    void finish();
};

[[nodiscard]] tl::unexpected<Error> client_error(std::string_view reason, std::string message);

}  // namespace heddle::http
