#include "http/message_head.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace heddle::http {
namespace {

tl::unexpected<Refusal> refuse(int status, std::string_view message) {
    return tl::unexpected<Refusal>(Refusal(status, message));
}

// The line up to the next CRLF, which the scanner has seen to be there.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The minor version of HTTP/1.x.
Accepted<int> parse_version(std::string_view text) {
    if (text == "HTTP/1.1") return 1;
    if (text == "HTTP/1.0") return 0;
    const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                             text[6] == '.' && is_digit(text[7]);
    if (well_formed) return refuse(505, "this version of the protocol is not spoken here");
    return refuse(400, "malformed protocol version");
}

Accepted<Headers> parse_fields(std::string_view rest, HeadLimits limits) {
    Headers headers;
    for (;;) {
        const std::string_view line = take_line(rest);
        if (line.empty()) return headers;
        if (headers.size() == limits.fields) return refuse(431, "too many header fields");
        if (line.front() == ' ' || line.front() == '\t') {
            return refuse(400, "folded header fields are not accepted");
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return refuse(400, "a header field has no colon");
        const std::string_view name = line.substr(0, colon);
        if (!is_token(name)) return refuse(400, "malformed header field name");
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (!is_field_value(value)) return refuse(400, "malformed header field value");
        headers.add(std::string(name), std::string(value));
    }
}

Accepted<std::uint64_t> parse_length(std::string_view text) {
    std::uint64_t length = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) {
        return refuse(400, "malformed Content-Length");
    }
    return length;
}

// The framing that the fields announce; kNone when they say nothing.
Accepted<Framing> announced_framing(const Headers& headers, int minor_version) {
    const std::size_t lengths = headers.count("content-length");
    const std::size_t codings = headers.count("transfer-encoding");
    if (lengths > 1) return refuse(400, "more than one Content-Length");
    if (codings > 0 && lengths > 0) {
        return refuse(400, "Content-Length beside Transfer-Encoding");
    }
    if (codings > 0) {
        if (minor_version == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
        if (codings > 1 || !equals_ignoring_case(headers.get("transfer-encoding"), "chunked")) {
            return refuse(400, "the only transfer coding accepted is a single chunked");
        }
        return Framing{Framing::Kind::kChunked, 0};
    }
    if (lengths == 0) return Framing{};
    const auto length = parse_length(headers.get("content-length"));
    if (!length) return tl::unexpected<Refusal>(length.error());
    return Framing{Framing::Kind::kLength, *length};
}

bool wants_keep_alive(const Headers& headers, int minor_version) {
    if (headers.has_token("connection", "close")) return false;
    return minor_version > 0 || headers.has_token("connection", "keep-alive");
}

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Accepted<RequestHead> parse_request_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return refuse(400, "malformed request line");
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const auto minor_version = parse_version(line.substr(last + 1));
    if (!minor_version) return tl::unexpected<Refusal>(minor_version.error());
    if (!is_token(method) || target.empty() || !is_visible_ascii(target)) {
        return refuse(400, "malformed request line");
    }
    const auto known = parse_method(method);
    if (!known) return refuse(501, "unknown method");
    RequestHead head;
    head.method = *known;
    head.target = target;
    head.minor_version = *minor_version;
    return head;
}

Accepted<void> check_host(const RequestHead& head) {
    const std::size_t hosts = head.headers.count("host");
    if (hosts > 1) return refuse(400, "more than one Host");
    if (hosts == 0 && head.minor_version > 0) return refuse(400, "Host is missing");
    return {};
}

}  // namespace

Accepted<std::optional<std::size_t>> HeadScanner::scan(std::string_view bytes) {
    for (; seen_ < bytes.size(); ++seen_) {
        const bool in_first_line = line_start_ == 0;
        if (in_first_line && seen_ >= limits_.first_line_bytes) {
            return refuse(414, "the request line is too long");
        }
        if (seen_ >= limits_.bytes) return refuse(431, "the header fields are too large");
        if (bytes[seen_] == '\0') return refuse(400, "NUL in the head");
        if (bytes[seen_] != '\n') continue;
        if (seen_ == line_start_ || bytes[seen_ - 1] != '\r') {
            return refuse(400, "a line must end in CRLF");
        }
        const bool empty_line = seen_ - line_start_ == 1;
        if (empty_line && in_first_line) return refuse(400, "the request line is empty");
        line_start_ = seen_ + 1;
        if (empty_line) return std::optional<std::size_t>(line_start_);
    }
    return std::optional<std::size_t>();
}

Accepted<RequestHead> parse_request_head(std::string_view bytes, HeadLimits limits) {
    auto head = parse_request_line(take_line(bytes));
    if (!head) return head;
    auto headers = parse_fields(bytes, limits);
    if (!headers) return tl::unexpected<Refusal>(headers.error());
    head->headers = std::move(*headers);
    if (const auto host = check_host(*head); !host) return tl::unexpected<Refusal>(host.error());
    const auto framing = announced_framing(head->headers, head->minor_version);
    if (!framing) return tl::unexpected<Refusal>(framing.error());
    head->framing = *framing;
    head->keep_alive = wants_keep_alive(head->headers, head->minor_version);
    for (const Headers::Field& field : head->headers.fields()) {
        if (equals_ignoring_case(field.name, "content-encoding") &&
            !equals_ignoring_case(field.value, "identity")) {
            return refuse(415, "encoded request bodies are not accepted");
        }
        if (!equals_ignoring_case(field.name, "expect")) continue;
        if (!equals_ignoring_case(field.value, "100-continue")) {
            return refuse(417, "the expectation cannot be met");
        }
        head->expects_continue = head->minor_version > 0;
    }
    return head;
}

Accepted<ResponseHead> parse_response_head(std::string_view bytes, Method to, HeadLimits limits) {
    const std::string_view line = take_line(bytes);
    ResponseHead head;
    const auto minor_version = parse_version(line.substr(0, std::min<std::size_t>(8, line.size())));
    if (!minor_version) return tl::unexpected<Refusal>(minor_version.error());
    head.minor_version = *minor_version;
    // "HTTP/1.1 200" and then nothing, or a space and a phrase that nobody reads.
    if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
        return refuse(502, "malformed status line");
    }
    const auto [end, ec] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
    if (ec != std::errc() || end != line.data() + 12 || head.status < 100 || head.status > 599) {
        return refuse(502, "malformed status line");
    }
    auto headers = parse_fields(bytes, limits);
    if (!headers) return tl::unexpected<Refusal>(headers.error());
    head.headers = std::move(*headers);
    head.keep_alive = wants_keep_alive(head.headers, head.minor_version);
    const bool bodiless =
        to == Method::kHead || head.status < 200 || head.status == 204 || head.status == 304;
    if (bodiless) return head;
    const auto framing = announced_framing(head.headers, head.minor_version);
    if (!framing) return tl::unexpected<Refusal>(framing.error());
    head.framing = *framing;
    if (head.framing.kind == Framing::Kind::kNone) head.framing.kind = Framing::Kind::kUntilClose;
    return head;
}

}  // namespace heddle::http
