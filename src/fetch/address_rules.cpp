#include "fetch/address_rules.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace heddle::fetch {

namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kHostMax = 253;

struct Network4 {
    std::uint32_t address;
    unsigned bits;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
    return (a << 24) | (b << 16) | (c << 8) | d;
}

// IANA IPv4 Special-Purpose Address Registry, with multicast and class E.
constexpr std::array kRefused4 = std::to_array<Network4>({
    {v4(0, 0, 0, 0), 8},        // this network
    {v4(10, 0, 0, 0), 8},       // private
    {v4(100, 64, 0, 0), 10},    // carrier-grade NAT
    {v4(127, 0, 0, 0), 8},      // loopback
    {v4(169, 254, 0, 0), 16},   // link-local, cloud metadata
    {v4(172, 16, 0, 0), 12},    // private
    {v4(192, 0, 0, 0), 24},     // IETF protocol assignments
    {v4(192, 0, 2, 0), 24},     // documentation
    {v4(192, 31, 196, 0), 24},  // AS112
    {v4(192, 52, 193, 0), 24},  // AMT
    {v4(192, 88, 99, 0), 24},   // 6to4 relays
    {v4(192, 168, 0, 0), 16},   // private
    {v4(192, 175, 48, 0), 24},  // AS112
    {v4(198, 18, 0, 0), 15},    // benchmarking
    {v4(198, 51, 100, 0), 24},  // documentation
    {v4(203, 0, 113, 0), 24},   // documentation
    {v4(224, 0, 0, 0), 4},      // multicast
    {v4(240, 0, 0, 0), 4},      // reserved, broadcast
});

struct Network6 {
    std::array<std::uint8_t, 4> address;  // the first 32 bits
    unsigned bits;
};

// Only 2000::/3 is given out; inside of it these are not, or lead elsewhere.
constexpr std::array kRefused6 = std::to_array<Network6>({
    {{0x20, 0x01, 0x00, 0x00}, 23},  // IETF protocol assignments: Teredo, ORCHID, benchmarking
    {{0x20, 0x01, 0x0D, 0xB8}, 32},  // documentation
    {{0x20, 0x02, 0x00, 0x00}, 16},  // 6to4
    {{0x3F, 0xFF, 0x00, 0x00}, 20},  // documentation
});

bool is_public4(const ip::address_v4& address) {
    const std::uint32_t value = address.to_uint();
    return std::none_of(kRefused4.begin(), kRefused4.end(), [&](const Network4& network) {
        return (value >> (32 - network.bits)) == (network.address >> (32 - network.bits));
    });
}

bool is_public6(const ip::address_v6& address) {
    // A scope names an interface of this machine.
    if (address.scope_id() != 0) return false;
    const auto bytes = address.to_bytes();
    if ((bytes[0] & 0xE0) != 0x20) return false;
    const auto begins = [&](const Network6& network) {
        for (unsigned bit = 0; bit < network.bits; ++bit) {
            const unsigned mask = 0x80U >> (bit % 8);
            if ((bytes[bit / 8] & mask) != (network.address[bit / 8] & mask)) return false;
        }
        return true;
    };
    return std::none_of(kRefused6.begin(), kRefused6.end(), begins);
}

tl::unexpected<Error> refused(std::string message) {
    return fail(Error(ErrorCode::kPermissionDenied, std::move(message)).with_reason("refused_url"));
}

bool is_own_port(const markup::Url& url) {
    return url.port() == (url.scheme() == "https" ? 443 : 80);
}

}  // namespace

bool is_public(const Address& address) {
    return address.is_v4() ? is_public4(address.to_v4()) : is_public6(address.to_v6());
}

std::vector<Address> own_addresses() {
    std::vector<Address> own;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return own;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        if (entry->ifa_addr->sa_family == AF_INET) {
            const auto* in = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
            own.emplace_back(ip::address_v4(ntohl(in->sin_addr.s_addr)));
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            const auto* in = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
            ip::address_v6::bytes_type bytes;
            std::copy(std::begin(in->sin6_addr.s6_addr), std::end(in->sin6_addr.s6_addr),
                      bytes.begin());
            own.emplace_back(ip::address_v6(bytes));
        }
    }
    freeifaddrs(list);
    return own;
}

bool is_literal_address(const markup::Url& url) {
    return url.host_kind() == markup::HostKind::kIpv4 || url.host_kind() == markup::HostKind::kIpv6;
}

Address literal_address(const markup::Url& url) {
    if (url.host_kind() == markup::HostKind::kIpv4) return ip::address_v4(url.ipv4());
    return ip::address_v6(url.ipv6());
}

Result<AllowList> AllowList::parse(const std::vector<std::string>& entries) {
    AllowList list;
    for (const std::string& written : entries) {
        // A bare IPv6 address has colons that are no port's.
        const bool bare_ipv6 =
            std::count(written.begin(), written.end(), ':') > 1 && !written.starts_with('[');
        const std::string authority = bare_ipv6 ? "[" + written + "]" : written;
        const auto url = markup::Url::parse("http://" + authority + "/");
        const bool plain = url && url->path() == "/" && !url->query() && !url->fragment() &&
                           url->username().empty() && url->password().empty();
        if (!plain || written.find_first_of("/?#@\\") != std::string::npos) {
            return fail(ErrorCode::kInvalidArgument,
                        "\"" + written + "\" is not of the form host[:port]");
        }
        // Port 80 is http's own and is not kept by the parser.
        const bool default_port = authority.ends_with(":80");
        list.entries_.push_back(
            {url->host(), url->explicit_port().value_or(default_port ? 80 : 0)});
    }
    return list;
}

bool AllowList::has(const markup::Url& url) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.host == url.host() &&
               (entry.port == 0 ? is_own_port(url) : entry.port == url.port());
    });
}

Result<> check_url(const markup::Url& url, bool allowed_by_operator) {
    if (!url.is_http()) return refused("only http and https URLs are retrieved");
    if (!url.username().empty() || !url.password().empty()) {
        return refused("URLs with a user name or password are not retrieved");
    }
    const std::string& host = url.host();
    if (host.empty() || host.size() > kHostMax) return refused("the URL has no usable host");
    if (allowed_by_operator) return {};
    if (!is_own_port(url)) return refused("only the ports 80 and 443 are asked");
    if (is_literal_address(url) && !is_public(literal_address(url))) {
        return refused("this address is not a public one");
    }
    return {};
}

}  // namespace heddle::fetch
