// Connects where it is told to and nowhere else: what getpeername() says of the connected socket
// must be the endpoint that was asked for.
#pragma once

#include <memory>

#include "http/client.h"

namespace heddle::fetch {

// Around another connector, by default the system's. Errors as http::Connector's, and
// kPermissionDenied with reason "refused_address" for a socket that leads elsewhere.
[[nodiscard]] std::shared_ptr<http::Connector> checked_connector(
    std::shared_ptr<http::Connector> inner = http::system_connector());

}  // namespace heddle::fetch
