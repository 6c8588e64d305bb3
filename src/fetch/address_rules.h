// Which addresses may be asked on behalf of someone who typed a URL. Public means: globally
// reachable by the IANA special-purpose registries, and nothing else; everything that embeds an
// IPv4 address (mapped, translated, tunnelled) is refused outright. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.h"
#include "markup/url.h"

namespace heddle::fetch {

using Address = boost::asio::ip::address;

[[nodiscard]] bool is_public(const Address& address);

// The addresses of this machine's interfaces, which are refused even where they are public.
[[nodiscard]] std::vector<Address> own_addresses();

// The address that the host of a URL is, if it is one.
[[nodiscard]] bool is_literal_address(const markup::Url& url);
[[nodiscard]] Address literal_address(const markup::Url& url);

// Hosts that the operator lets be asked wherever they are: "intranet.example:8080", "10.0.0.5".
// Without a port: 80 and 443.
class AllowList {
public:
    AllowList() = default;
    // kInvalidArgument names the entry that is no host[:port].
    [[nodiscard]] static Result<AllowList> parse(const std::vector<std::string>& entries);

    [[nodiscard]] bool has(const markup::Url& url) const;
    [[nodiscard]] bool empty() const { return entries_.empty(); }

private:
    struct Entry {
        std::string host;        // as markup::Url serialises it
        std::uint16_t port = 0;  // 0: the schemes' own
    };
    std::vector<Entry> entries_;
};

// What a URL must be before its name is even resolved: http or https, no user information, the
// scheme's own port unless the operator allows another, a host of at most 253 characters, and no
// address that is not public. kPermissionDenied with reason "refused_url".
[[nodiscard]] Result<> check_url(const markup::Url& url, bool allowed_by_operator);

}  // namespace heddle::fetch
