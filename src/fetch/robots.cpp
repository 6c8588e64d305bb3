#include "fetch/robots.h"

#include <algorithm>
#include <optional>

namespace heddle::fetch {

namespace {

constexpr std::size_t kRulesMax = 10'000;
constexpr std::size_t kPatternBytesMax = 2048;

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && (is_space(text.back()) || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return -1;
}

bool is_unreserved(unsigned char c) {
    return (c >= '0' && c <= '9') ||
           (lower(static_cast<char>(c)) >= 'a' && lower(static_cast<char>(c)) <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// Section 2.2.2: octets outside of ASCII percent-encoded, encoded unreserved ones decoded, so
// that equal addresses compare equal.
std::string normalised(std::string_view path) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    const auto encode = [&](unsigned char byte) {
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    };
    for (std::size_t i = 0; i < path.size(); ++i) {
        const auto byte = static_cast<unsigned char>(path[i]);
        const int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
        const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
        if (byte == '%' && high >= 0 && low >= 0) {
            const auto value = static_cast<unsigned char>(high * 16 + low);
            if (is_unreserved(value))
                out += static_cast<char>(value);
            else
                encode(value);
            i += 2;
        } else if (byte >= 0x80 || byte <= 0x20) {
            encode(byte);
        } else {
            out += path[i];
        }
    }
    return out;
}

// Whether the pattern matches a beginning of the path; greedy over '*', so linear in practice and
// at worst pattern × path, both bounded.
bool matches(std::string_view pattern, std::string_view path) {
    const bool anchored = pattern.ends_with('$');
    if (anchored) pattern.remove_suffix(1);
    std::size_t p = 0;
    std::size_t s = 0;
    std::optional<std::size_t> star;
    std::size_t star_at = 0;
    for (;;) {
        if (p == pattern.size() && (!anchored || s == path.size())) return true;
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_at = s;
        } else if (p < pattern.size() && s < path.size() && pattern[p] == path[s]) {
            ++p;
            ++s;
        } else if (star && star_at < path.size()) {
            p = *star;
            s = ++star_at;
        } else {
            return false;
        }
    }
}

// "User-agent: x # y" → name and value.
struct Line {
    std::string_view name;
    std::string_view value;
};

std::optional<Line> read_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return Line{trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1))};
}

// The letters, '-' and '_' at the beginning are the product token.
std::string_view token_of(std::string_view value) {
    const auto end = std::find_if(value.begin(), value.end(), [](char c) {
        return !((lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '_');
    });
    return value.substr(0, static_cast<std::size_t>(end - value.begin()));
}

}  // namespace

RobotsRules RobotsRules::parse(std::string_view text, std::string_view product) {
    RobotsRules ours;
    RobotsRules everyones;
    bool named = false;   // some group is for our product
    bool for_us = false;  // the group being read is
    bool for_all = false;
    bool in_rules = false;
    text = text.substr(0, kRobotsBytesMax);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        const auto line = read_line(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line) continue;
        if (equals_ignoring_case(line->name, "user-agent")) {
            if (in_rules) for_us = for_all = in_rules = false;
            if (trimmed(line->value).starts_with('*')) for_all = true;
            if (equals_ignoring_case(token_of(line->value), product)) named = for_us = true;
            continue;
        }
        const bool allow = equals_ignoring_case(line->name, "allow");
        if (!allow && !equals_ignoring_case(line->name, "disallow")) continue;
        in_rules = true;
        if (line->value.empty() || line->value.size() > kPatternBytesMax) continue;
        const Rule rule{allow, normalised(line->value)};
        if (for_us && ours.rules_.size() < kRulesMax) ours.rules_.push_back(rule);
        if (for_all && everyones.rules_.size() < kRulesMax) everyones.rules_.push_back(rule);
    }
    return named ? ours : everyones;
}

RobotsRules RobotsRules::nothing() {
    RobotsRules rules;
    rules.rules_.push_back({false, "/"});
    return rules;
}

RobotsVerdict RobotsRules::check(std::string_view target) const {
    RobotsVerdict verdict;
    if (target == "/robots.txt") return verdict;
    const std::string path = normalised(target.substr(0, kPatternBytesMax));
    const Rule* best = nullptr;
    for (const Rule& rule : rules_) {
        const bool longer = best == nullptr || rule.pattern.size() > best->pattern.size() ||
                            (rule.pattern.size() == best->pattern.size() && rule.allow);
        if (longer && matches(rule.pattern, path)) best = &rule;
    }
    if (best == nullptr) return verdict;
    verdict.allowed = best->allow;
    verdict.rule = (best->allow ? "Allow: " : "Disallow: ") + best->pattern;
    return verdict;
}

}  // namespace heddle::fetch
