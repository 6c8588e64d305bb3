#include "markup/url.h"

#include <algorithm>
#include <memory>

#include <lexbor/url/url.h>

#include "base/check.h"

namespace heddle::markup {

namespace {

struct FreeParser {
    void operator()(lxb_url_parser_t* parser) const {
        lxb_url_parser_memory_destroy(parser);
        lxb_url_parser_destroy(parser, true);
    }
};

lxb_status_t append(const lxb_char_t* data, std::size_t size, void* target) {
    static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(data), size);
    return LXB_STATUS_OK;
}

std::string text_of(const lexbor_str_t& text) {
    return text.data == nullptr
               ? std::string()
               : std::string(reinterpret_cast<const char*>(text.data), text.length);
}

std::optional<std::string> optional_text_of(const lexbor_str_t& text) {
    if (text.data == nullptr) return std::nullopt;
    return text_of(text);
}

const lxb_char_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const lxb_char_t*>(text.data());
}

std::uint16_t default_port(std::string_view scheme) {
    if (scheme == "http" || scheme == "ws") return 80;
    if (scheme == "https" || scheme == "wss") return 443;
    if (scheme == "ftp") return 21;
    return 0;
}

}  // namespace

class UrlReader {
public:
    static Url read(const lxb_url_t& from) {
        Url url;
        url.scheme_ = text_of(from.scheme.name);
        url.username_ = text_of(from.username);
        url.password_ = text_of(from.password);
        if (from.has_port) url.port_ = from.port;
        url.query_ = optional_text_of(from.query);
        url.fragment_ = optional_text_of(from.fragment);
        read_host(from.host, url);
        lxb_url_serialize_path(&from.path, append, &url.path_);
        lxb_url_serialize(&from, append, &url.href_, true);
        url.fragment_at_ = url.href_.size();
        if (url.fragment_) url.href_ += "#" + *url.fragment_;
        return url;
    }

private:
    static void read_host(const lxb_url_host_t& from, Url& url) {
        switch (from.type) {
            case LXB_URL_HOST_TYPE_DOMAIN:
                url.host_kind_ = HostKind::kDomain;
                break;
            case LXB_URL_HOST_TYPE_OPAQUE:
                url.host_kind_ = HostKind::kOpaque;
                break;
            case LXB_URL_HOST_TYPE_IPV4:
                url.host_kind_ = HostKind::kIpv4;
                for (int i = 0; i < 4; ++i) {
                    url.address_[static_cast<std::size_t>(i)] =
                        static_cast<std::uint8_t>(from.u.ipv4 >> (24 - 8 * i));
                }
                break;
            case LXB_URL_HOST_TYPE_IPV6:
                url.host_kind_ = HostKind::kIpv6;
                for (std::size_t i = 0; i < 8; ++i) {
                    url.address_[2 * i] = static_cast<std::uint8_t>(from.u.ipv6[i] >> 8);
                    url.address_[2 * i + 1] = static_cast<std::uint8_t>(from.u.ipv6[i] & 0xff);
                }
                break;
            case LXB_URL_HOST_TYPE_EMPTY:
            case LXB_URL_HOST_TYPE__UNDEF:
                return;
        }
        lxb_url_serialize_host(&from, append, &url.host_);
    }
};

Result<Url> Url::parse(std::string_view text, const Url* base) {
    if (text.size() > kUrlBytesMax) return fail(ErrorCode::kInvalidArgument, "the URL is too long");
    const std::unique_ptr<lxb_url_parser_t, FreeParser> parser(lxb_url_parser_create());
    if (lxb_url_parser_init(parser.get(), nullptr) != LXB_STATUS_OK) throw std::bad_alloc();
    const lxb_url_t* base_url = nullptr;
    if (base != nullptr) {
        base_url = lxb_url_parse(parser.get(), nullptr, bytes_of(base->href_), base->href_.size());
        if (base_url == nullptr) return fail(ErrorCode::kInvalidArgument, "the base is not a URL");
        lxb_url_parser_clean(parser.get());
    }
    const lxb_url_t* url = lxb_url_parse(parser.get(), base_url, bytes_of(text), text.size());
    if (url == nullptr) return fail(ErrorCode::kInvalidArgument, "this is not a valid URL");
    return UrlReader::read(*url);
}

std::array<std::uint8_t, 4> Url::ipv4() const {
    HEDDLE_CHECK(host_kind_ == HostKind::kIpv4, "the host is an IPv4 address");
    return {address_[0], address_[1], address_[2], address_[3]};
}

std::uint16_t Url::port() const {
    return port_ ? *port_ : default_port(scheme_);
}

std::string Url::target() const {
    std::string target = path_.empty() ? "/" : path_;
    if (query_) target += "?" + *query_;
    return target;
}

std::string Url::origin() const {
    if (default_port(scheme_) == 0) return "null";
    std::string origin = scheme_ + "://" + host_;
    if (port_) origin += ":" + std::to_string(*port_);
    return origin;
}

}  // namespace heddle::markup
