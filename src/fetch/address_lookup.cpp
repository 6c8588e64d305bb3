#include "fetch/address_lookup.h"

#include <algorithm>
#include <utility>

#include "async/deadline.h"

namespace heddle::fetch {
namespace {

// Few servers have more; each is tried for the connect timeout.
constexpr std::size_t kAddressesTried = 3;

}  // namespace

async::Task<Result<std::vector<Address>>> look_up(std::shared_ptr<http::Resolver> resolver,
                                                  std::vector<Address> own, markup::Url url,
                                                  bool allowed, std::chrono::milliseconds timeout) {
    std::vector<Address> addresses;
    if (is_literal_address(url)) {
        addresses.push_back(literal_address(url));
    } else {
        const auto patience = async::Deadline::after(timeout);
        auto answer = co_await async::with_deadline(patience, resolver->resolve(url.host()));
        if (!answer) {
            co_return fail(Error(ErrorCode::kUpstream, answer.error().message())
                               .with_reason("resolve_failed"));
        }
        addresses = std::move(*answer);
    }
    // One answer inside and nothing is asked: a name that points at both is an attack or a mistake.
    const bool all_public = std::all_of(addresses.begin(), addresses.end(), [&](const Address& a) {
        return is_public(a) && std::find(own.begin(), own.end(), a) == own.end();
    });
    if (addresses.empty() || (!all_public && !allowed)) {
        co_return fail(
            Error(ErrorCode::kPermissionDenied, "the host has an address that is not public")
                .with_reason("refused_address"));
    }
    if (addresses.size() > kAddressesTried) addresses.resize(kAddressesTried);
    co_return addresses;
}

}  // namespace heddle::fetch
