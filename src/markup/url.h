// URLs by the WHATWG standard (url.spec.whatwg.org), parsed once: the check of an address, the
// connection, the Host field and the server name of TLS all read the same Url, so that no two
// parsers can disagree about where a URL leads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::markup {

// Longer input is refused before it is parsed.
inline constexpr std::size_t kUrlBytesMax = 16 << 10;

enum class HostKind {
    kNone,    // no host at all (mailto:x) or an empty one (file:///x)
    kDomain,  // ASCII after IDNA, lower case
    kIpv4,    // however it was spelled: 2130706433, 0x7f.1 and 127.0.0.1 are the same here
    kIpv6,
    kOpaque,  // of a scheme that the standard does not know
};

// An immutable value; every part is serialised and percent-encoded as the standard says.
class Url {
public:
    // kInvalidArgument for what is no URL. A relative reference needs `base`.
    [[nodiscard]] static Result<Url> parse(std::string_view text, const Url* base = nullptr);

    [[nodiscard]] const std::string& href() const { return href_; }
    [[nodiscard]] std::string_view without_fragment() const {
        return std::string_view(href_).substr(0, fragment_at_);
    }
    // "https", without the colon.
    [[nodiscard]] const std::string& scheme() const { return scheme_; }
    [[nodiscard]] bool is_http() const { return scheme_ == "http" || scheme_ == "https"; }
    [[nodiscard]] const std::string& username() const { return username_; }
    [[nodiscard]] const std::string& password() const { return password_; }

    [[nodiscard]] HostKind host_kind() const { return host_kind_; }
    // As in the Host field: an IPv6 address stands in brackets.
    [[nodiscard]] const std::string& host() const { return host_; }
    // Bytes in network order; only of the kind that host_kind() names.
    [[nodiscard]] std::array<std::uint8_t, 4> ipv4() const;
    [[nodiscard]] const std::array<std::uint8_t, 16>& ipv6() const { return address_; }

    // Nothing where it is the scheme's own.
    [[nodiscard]] std::optional<std::uint16_t> explicit_port() const { return port_; }
    // The port to connect to; 0 for schemes without one.
    [[nodiscard]] std::uint16_t port() const;

    [[nodiscard]] const std::string& path() const { return path_; }
    // Without its '?' or '#'; nothing is not the same as empty.
    [[nodiscard]] const std::optional<std::string>& query() const { return query_; }
    [[nodiscard]] const std::optional<std::string>& fragment() const { return fragment_; }
    // Path and query: the target of a request.
    [[nodiscard]] std::string target() const;
    // "https://example.org:8443"; "null" for schemes without an origin of their own.
    [[nodiscard]] std::string origin() const;

    [[nodiscard]] bool operator==(const Url& other) const { return href_ == other.href_; }

private:
    Url() = default;
    friend class UrlReader;

    std::string href_;
    std::size_t fragment_at_ = 0;
    std::string scheme_;
    std::string username_;
    std::string password_;
    HostKind host_kind_ = HostKind::kNone;
    std::string host_;
    std::array<std::uint8_t, 16> address_{};
    std::optional<std::uint16_t> port_;
    std::string path_;
    std::optional<std::string> query_;
    std::optional<std::string> fragment_;
};

}  // namespace heddle::markup
