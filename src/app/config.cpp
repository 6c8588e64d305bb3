#include "app/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace heddle::app {

bool ListenAddress::loopback() const {
    if (host == "localhost" || host == "::1") return true;
    in_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

Result<ListenAddress> parse_listen(const std::string& text) {
    const auto wrong = [&] {
        return fail(
            Error(ErrorCode::kInvalidArgument,
                  fmt::format("listen must be HOST:PORT, e.g. 127.0.0.1:8000, not \"{}\"", text))
                .with_param("listen"));
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return wrong();
    ListenAddress address;
    address.host = text.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    } else if (address.host.find(':') != std::string::npos) {
        return wrong();
    }
    if (address.host.empty() || address.host == "*") address.host = "0.0.0.0";
    const std::string_view port = std::string_view(text).substr(colon + 1);
    const auto [end, ec] = std::from_chars(port.begin(), port.end(), address.port);
    if (ec != std::errc() || end != port.end() || port.empty()) return wrong();
    return address;
}

}  // namespace heddle::app
