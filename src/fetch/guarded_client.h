// One request to one checked address: the name is resolved once, every answer must be public, and
// the connection goes to an address that was checked (the connector makes sure, see
// checked_connector.h). Nothing is followed, nothing is sent but what is written here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/deadline.h"
#include "async/task.h"
#include "fetch/content_type.h"
#include "fetch/options.h"
#include "http/client.h"
#include "markup/url.h"

namespace heddle::fetch {

struct GuardedRequest {
    markup::Url url;
    // The operator lets this host be asked wherever it is.
    bool allowed_by_operator = false;
    std::string if_none_match;
    std::string if_modified_since;
    // robots.txt: any type, and what is too long is cut off instead of refused.
    bool is_robots = false;
};

struct GuardedResponse {
    int status = 0;
    http::Headers headers;
    ContentKind kind = ContentKind::kOther;
    std::string body;  // decoded; empty unless the status is 200
};

// Thread-safe; called on I/O threads.
class GuardedClient {
public:
    GuardedClient(const FetchOptions& options, std::shared_ptr<http::Resolver> resolver,
                  std::shared_ptr<http::Connector> connector);

    // Errors with a reason for readers: refused_url, unsupported_type, too_large. All others
    // (refused_address, resolve_failed, connect_failed, …) tell of what a network holds and are
    // for the log alone.
    async::Task<Result<GuardedResponse>> get(GuardedRequest request, async::Deadline deadline);

private:
    async::Task<Result<http::ClientResponse>> send(http::ClientRequest request,
                                                   std::vector<Address> addresses);
    async::Task<Result<std::string>> read_body(http::ClientResponse& response, ContentKind stated,
                                               bool is_robots);

    const FetchOptions options_;
    const std::vector<Address> own_;
    std::shared_ptr<http::Resolver> resolver_;
    http::Client client_;
};

}  // namespace heddle::fetch
