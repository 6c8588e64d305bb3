// robots.txt by RFC 9309: groups, the longest rule that matches, allow on a tie. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::fetch {

// What lies behind this is not read.
inline constexpr std::size_t kRobotsBytesMax = std::size_t{512} << 10;

struct RobotsVerdict {
    bool allowed = true;
    // The line that decided, as written; empty when none did.
    std::string rule;
};

// The rules that one product has to follow. Immutable.
class RobotsRules {
public:
    // Everything is allowed.
    RobotsRules() = default;
    // `product` is the token that groups name, e.g. "Heddle"; compared without case.
    [[nodiscard]] static RobotsRules parse(std::string_view text, std::string_view product);
    // For a server that cannot say: nothing is allowed.
    [[nodiscard]] static RobotsRules nothing();

    // `target` is path and query as requested. robots.txt itself is always allowed.
    [[nodiscard]] RobotsVerdict check(std::string_view target) const;

private:
    struct Rule {
        bool allow = false;
        std::string pattern;  // normalised percent-encoding; '*' and a final '$' are special
    };
    std::vector<Rule> rules_;
};

}  // namespace heddle::fetch
