#include "http/target.h"

#include <cstddef>

#include <simdjson.h>

namespace heddle::http {
namespace {

constexpr std::size_t kParametersMax = 100;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

tl::unexpected<Error> bad(std::string why) {
    return fail(ErrorCode::kInvalidArgument, "the request target " + std::move(why));
}

Result<std::string> decode_text(std::string_view text, bool plus_is_space) {
    auto decoded = percent_decode(text, plus_is_space);
    if (!decoded) return bad("has a malformed percent escape");
    if (decoded->find('\0') != std::string::npos) return bad("holds a NUL");
    if (!simdjson::validate_utf8(*decoded)) return bad("is not UTF-8");
    return std::move(*decoded);
}

Result<> parse_path(std::string_view path, Target& target) {
    if (!path.starts_with('/')) return bad("must begin with a slash");
    target.path = path;
    path.remove_prefix(1);
    for (;;) {
        const std::size_t slash = path.find('/');
        HEDDLE_TRY(std::string segment, decode_text(path.substr(0, slash), false));
        if (segment == "." || segment == "..") return bad("holds a dot segment");
        target.segments.push_back(std::move(segment));
        if (slash == std::string_view::npos) return {};
        path.remove_prefix(slash + 1);
    }
}

Result<> parse_query(std::string_view query, Target& target) {
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
        if (pair.empty()) continue;
        if (target.query.size() == kParametersMax) return bad("has too many parameters");
        const std::size_t equals = pair.find('=');
        const bool has_value = equals != std::string_view::npos;
        HEDDLE_TRY(std::string name, decode_text(pair.substr(0, equals), true));
        HEDDLE_TRY(std::string value,
                   decode_text(has_value ? pair.substr(equals + 1) : std::string_view(), true));
        target.query.emplace_back(std::move(name), std::move(value));
    }
    return {};
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                                c == '~';
        if (unreserved) {
            out += c;
        } else {
            out += '%';
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        }
    }
    return out;
}

std::optional<std::string_view> Target::parameter(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (key == name) return value;
    }
    return std::nullopt;
}

Result<Target> parse_target(std::string_view text) {
    Target target;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text.starts_with(scheme)) continue;
        text.remove_prefix(scheme.size());
        const std::size_t end = std::min(text.find_first_of("/?"), text.size());
        target.authority = text.substr(0, end);
        if (target.authority.empty()) return bad("has no authority");
        text.remove_prefix(end);
        break;
    }
    const std::size_t question = text.find('?');
    const bool no_path = !target.authority.empty() && (text.empty() || question == 0);
    HEDDLE_TRY_VOID(parse_path(no_path ? "/" : text.substr(0, question), target));
    if (question != std::string_view::npos) {
        HEDDLE_TRY_VOID(parse_query(text.substr(question + 1), target));
    }
    return target;
}

}  // namespace heddle::http
