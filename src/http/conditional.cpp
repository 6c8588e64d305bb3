#include "http/conditional.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace heddle::http {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::string quoted_etag(std::string_view etag) {
    return "\"" + std::string(etag) + "\"";
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
    if (if_none_match == "*") return true;
    const std::string wanted = quoted_etag(etag);
    while (!if_none_match.empty()) {
        const std::size_t comma = if_none_match.find(',');
        std::string_view candidate = if_none_match.substr(0, comma);
        while (candidate.starts_with(' ')) candidate.remove_prefix(1);
        while (candidate.ends_with(' ')) candidate.remove_suffix(1);
        if (candidate.starts_with("W/")) candidate.remove_prefix(2);
        if (candidate == wanted) return true;
        if (comma == std::string_view::npos) break;
        if_none_match.remove_prefix(comma + 1);
    }
    return false;
}

RangeOutcome parse_range(std::string_view value, std::uint64_t total) {
    using Kind = RangeOutcome::Kind;
    if (!value.starts_with("bytes=")) return {};
    value.remove_prefix(6);
    const std::size_t dash = value.find('-');
    if (dash == std::string_view::npos || value.find(',') != std::string_view::npos) return {};
    const std::string_view from = value.substr(0, dash);
    const std::string_view to = value.substr(dash + 1);
    if (from.empty()) {  // the last so many bytes
        const auto count = parse_number(to);
        if (!count) return {};
        if (*count == 0 || total == 0) return {Kind::kUnsatisfiable, 0, 0};
        return {Kind::kPart, total - std::min(*count, total), total - 1};
    }
    const auto first = parse_number(from);
    const auto last = to.empty() ? std::optional(~std::uint64_t{0}) : parse_number(to);
    if (!first || !last || *last < *first) return {};
    if (*first >= total) return {Kind::kUnsatisfiable, 0, 0};
    return {Kind::kPart, *first, std::min(*last, total - 1)};
}

}  // namespace heddle::http
