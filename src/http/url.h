// Where a client connects and what it asks for. parse_url() is for addresses that an operator
// wrote (an upstream's base, a blob store); addresses out of prompts and pages go through
// markup's WHATWG parser, whose parts fill the same struct, so that one parser decides per URL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::http {

struct Origin {
    bool tls = false;
    // Lower case; an IPv6 address without its brackets.
    std::string host;
    std::uint16_t port = 80;

    [[nodiscard]] bool operator==(const Origin&) const = default;
    // What goes into the Host field: no port where it is the scheme's own.
    [[nodiscard]] std::string host_header() const;
};

struct Url {
    Origin origin;
    // Path and query as sent, beginning with '/'.
    std::string target = "/";
};

// http:// or https://, no user information, no fragment, visible ASCII only.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace heddle::http
