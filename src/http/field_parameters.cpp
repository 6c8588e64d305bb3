#include "http/field_parameters.h"

#include <algorithm>

#include "http/headers.h"

namespace heddle::http {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Takes a quoted string off the front; a backslash escapes only a quote or a backslash, because
// old clients send Windows paths unescaped.
std::string take_quoted(std::string_view& rest) {
    std::string out;
    std::size_t i = 1;
    for (; i < rest.size() && rest[i] != '"'; ++i) {
        const bool escapes =
            rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
        if (escapes) ++i;
        out += rest[i];
    }
    rest.remove_prefix(i < rest.size() ? i + 1 : i);
    return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

}  // namespace

std::optional<std::string> FieldValue::parameter(std::string_view name) const {
    for (const auto& [key, text] : parameters) {
        if (equals_ignoring_case(key, name)) return text;
    }
    return std::nullopt;
}

FieldValue parse_field_value(std::string_view text) {
    FieldValue field;
    const std::size_t first = text.find(';');
    field.value = trimmed(text.substr(0, first));
    std::string_view rest =
        first == std::string_view::npos ? std::string_view() : text.substr(first);
    while (!rest.empty()) {
        rest.remove_prefix(1);  // the semicolon
        const std::size_t stop = rest.find_first_of(";=");
        if (stop == std::string_view::npos) break;
        const std::string_view name = trimmed(rest.substr(0, stop));
        rest.remove_prefix(stop);
        if (rest.front() == ';') continue;
        rest.remove_prefix(1);
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t'))
            rest.remove_prefix(1);
        std::string value;
        if (rest.starts_with('"')) {
            value = take_quoted(rest);
            replace_all(value, "%22", "\"");
            replace_all(value, "%0D", "\r");
            replace_all(value, "%0A", "\n");
        }
        const std::size_t end = std::min(rest.find(';'), rest.size());
        if (value.empty()) value = trimmed(rest.substr(0, end));
        rest.remove_prefix(end);
        if (is_token(name)) field.parameters.emplace_back(std::string(name), std::move(value));
    }
    return field;
}

}  // namespace heddle::http
