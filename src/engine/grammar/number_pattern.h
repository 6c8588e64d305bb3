// Regular expressions for JSON numbers within bounds: comparison of decimals digit by digit.
// Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heddle::engine::grammar {

// A bound as plain decimal digits.
struct Decimal {
    bool negative = false;
    std::string integer = "0";  // no leading zeros
    std::string fraction;       // no trailing zeros
};

// From "-12.50"; nothing for other forms or more than 40 digits.
[[nodiscard]] std::optional<Decimal> parse_decimal(std::string_view text);

// Numbers without exponent that are at least (at most) the bound, or beyond it when `strict`.
[[nodiscard]] std::string at_least_pattern(const Decimal& bound, bool strict);
[[nodiscard]] std::string at_most_pattern(const Decimal& bound, bool strict);

}  // namespace heddle::engine::grammar
