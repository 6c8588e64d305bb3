// From a URL to the addresses that may be connected to.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "fetch/address_rules.h"
#include "http/client.h"

namespace heddle::fetch {

// The name is resolved once, and every answer must be public and none of `own`, unless the operator
// lets this host be asked (`allowed`). At most three. Errors: "resolve_failed", "refused_address".
async::Task<Result<std::vector<Address>>> look_up(std::shared_ptr<http::Resolver> resolver,
                                                  std::vector<Address> own, markup::Url url,
                                                  bool allowed, std::chrono::milliseconds timeout);

}  // namespace heddle::fetch
