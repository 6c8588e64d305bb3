#include "engine/grammar/number_pattern.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle::engine::grammar {
namespace {

constexpr std::string_view kAnyFraction = "(\\.[0-9]+)?";
constexpr std::string_view kAnyMagnitude = "(0|[1-9][0-9]*)(\\.[0-9]+)?";

bool is_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void add(std::string& alternatives, const std::string& one) {
    if (!alternatives.empty()) alternatives += '|';
    alternatives += one;
}

// What may stand behind an equal integer part so that the whole is at least 0.`fraction`.
std::string fraction_at_least(const std::string& fraction, bool strict) {
    if (fraction.empty()) {
        return strict ? "\\.[0-9]*[1-9][0-9]*" : std::string(kAnyFraction);
    }
    std::string digits;
    for (std::size_t i = 0; i < fraction.size(); ++i) {
        if (fraction[i] == '9') continue;
        add(digits, fmt::format("{}[{}-9][0-9]*", fraction.substr(0, i),
                                static_cast<char>(fraction[i] + 1)));
    }
    add(digits, fraction + (strict ? "[0-9]*[1-9][0-9]*" : "[0-9]*"));
    return "\\.(" + digits + ")";
}

std::string fraction_at_most(const std::string& fraction, bool strict) {
    if (fraction.empty()) return "(\\.0+)?";
    std::string digits;
    for (std::size_t i = 0; i < fraction.size(); ++i) {
        const std::string same = fraction.substr(0, i);
        if (i > 0) add(digits, same);
        if (fraction[i] > '0') {
            add(digits, fmt::format("{}[0-{}][0-9]*", same, static_cast<char>(fraction[i] - 1)));
        }
    }
    if (!strict) add(digits, fraction + "0*");
    return "(\\.(" + digits + "))?";
}

std::string magnitude_at_least(const Decimal& bound, bool strict) {
    const std::string& digits = bound.integer;
    std::string all = fmt::format("[1-9][0-9]{{{},}}{}", digits.size(), kAnyFraction);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (digits[i] == '9') continue;
        add(all,
            fmt::format("{}[{}-9][0-9]{{{}}}{}", digits.substr(0, i),
                        static_cast<char>(digits[i] + 1), digits.size() - 1 - i, kAnyFraction));
    }
    add(all, digits + fraction_at_least(bound.fraction, strict));
    return "(" + all + ")";
}

// May match nothing: the empty string then.
std::string magnitude_at_most(const Decimal& bound, bool strict) {
    const std::string& digits = bound.integer;
    std::string all;
    if (digits.size() > 1) {
        add(all, fmt::format("(0|[1-9][0-9]{{0,{}}}){}", digits.size() - 2, kAnyFraction));
    }
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const char least = i == 0 && digits.size() > 1 ? '1' : '0';
        if (digits[i] <= least) continue;
        add(all,
            fmt::format("{}[{}-{}][0-9]{{{}}}{}", digits.substr(0, i), least,
                        static_cast<char>(digits[i] - 1), digits.size() - 1 - i, kAnyFraction));
    }
    if (!strict || !bound.fraction.empty()) {
        add(all, digits + fraction_at_most(bound.fraction, strict));
    }
    return all.empty() ? "" : "(" + all + ")";
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
    Decimal decimal;
    if (text.starts_with('-')) {
        decimal.negative = true;
        text.remove_prefix(1);
    }
    const std::size_t point = text.find('.');
    decimal.integer = text.substr(0, point);
    if (point != std::string_view::npos) decimal.fraction = text.substr(point + 1);
    if (text.size() > 40 || decimal.integer.empty() || !is_digits(decimal.integer) ||
        !is_digits(decimal.fraction)) {
        return std::nullopt;
    }
    decimal.integer.erase(
        0, std::min(decimal.integer.find_first_not_of('0'), decimal.integer.size() - 1));
    decimal.fraction.erase(decimal.fraction.find_last_not_of('0') + 1);
    if (decimal.integer == "0" && decimal.fraction.empty()) decimal.negative = false;
    return decimal;
}

std::string at_least_pattern(const Decimal& bound, bool strict) {
    if (!bound.negative) return magnitude_at_least(bound, strict);
    return fmt::format("({}|-{})", kAnyMagnitude, magnitude_at_most(bound, strict));
}

std::string at_most_pattern(const Decimal& bound, bool strict) {
    if (bound.negative) return "-" + magnitude_at_least(bound, strict);
    const std::string positive = magnitude_at_most(bound, strict);
    // Below zero means a magnitude that is not zero.
    if (positive.empty()) return "-" + magnitude_at_least({}, true);
    return fmt::format("(-{}|{})", kAnyMagnitude, positive);
}

}  // namespace heddle::engine::grammar
