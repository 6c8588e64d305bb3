#include "http/url.h"

#include <algorithm>
#include <charconv>

namespace heddle::http {
namespace {

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

tl::unexpected<Error> bad(std::string why) {
    return fail(ErrorCode::kInvalidArgument, "the URL " + std::move(why));
}

// Splits host[:port] or [v6][:port]; the port stays untouched where none is written.
Result<> parse_authority(std::string_view authority, Origin& origin) {
    std::string_view port;
    bool bracketed = false;
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return bad("has an unclosed bracket");
        bracketed = true;
        origin.host = lower(authority.substr(1, end - 1));
        authority.remove_prefix(end + 1);
        if (!authority.empty() && authority.front() != ':') return bad("has a malformed host");
        port = authority.empty() ? authority : authority.substr(1);
    } else {
        const std::size_t colon = authority.find(':');
        origin.host = lower(authority.substr(0, colon));
        if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    }
    const auto fits = [&](char c) { return is_host_character(c) || (bracketed && c == ':'); };
    if (origin.host.empty() || origin.host.size() > 253 ||
        !std::all_of(origin.host.begin(), origin.host.end(), fits)) {
        return bad("has a malformed host");
    }
    if (port.empty()) return {};
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), origin.port);
    if (ec != std::errc() || end != port.data() + port.size() || origin.port == 0) {
        return bad("has a malformed port");
    }
    return {};
}

}  // namespace

std::string Origin::host_header() const {
    std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

Result<Url> parse_url(std::string_view text) {
    if (!is_visible_ascii(text)) return bad("holds a space or a character outside ASCII");
    Url url;
    if (text.starts_with("https://")) {
        url.origin.tls = true;
        url.origin.port = 443;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        return bad("must begin with http:// or https://");
    }
    if (text.find('#') != std::string_view::npos) return bad("must have no fragment");
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    const std::string_view authority = text.substr(0, end);
    if (authority.find('@') != std::string_view::npos) {
        return bad("must not hold a user name or a password");
    }
    HEDDLE_TRY_VOID(parse_authority(authority, url.origin));
    const std::string_view target = text.substr(end);
    url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

}  // namespace heddle::http
