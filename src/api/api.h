// The HTTP interface of Heddle: route table, authentication, and what every response gets. Built
// once by app; handle() is given to http::Server.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/authentication.h"
#include "api/endpoint.h"
#include "http/router.h"

namespace heddle::api {

// Thread-safe after construction.
class Api {
public:
    Api(ApiOptions options, ApiServices services, async::WorkerPool& workers, Metrics& metrics);
    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    async::Task<http::Response> handle(http::Request& request);

    // Routes of other rooms' content (the web client's files), all open. Before the first request.
    void add_open_route(http::Route route);

    [[nodiscard]] const std::vector<Endpoint>& endpoints() const { return endpoints_; }
    [[nodiscard]] const std::string& openapi() const { return context_.openapi; }

private:
    struct Instruments;
    async::Task<http::Response> run(const Endpoint& endpoint, http::Request& request);

    Context context_;
    Authenticator authenticator_;
    std::vector<Endpoint> endpoints_;
    http::Router router_;
    std::unique_ptr<Instruments> instruments_;
};

// For http::Server and Router: errors in the shape of the path that was asked for.
[[nodiscard]] http::Response respond_to_error(const http::Request& request, const Error& error);

// What every response carries: no sniffing, no framing, no caching unless it says otherwise.
void add_security_headers(http::Response& response);

}  // namespace heddle::api
