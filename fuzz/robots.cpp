// robots.txt and a target to check against it: the first line is the target.
#include "fetch/robots.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto newline = text.find('\n');
    const std::string_view file = newline == std::string_view::npos ? "" : text.substr(newline + 1);
    const auto rules = heddle::fetch::RobotsRules::parse(file, "Heddle");
    (void)rules.check(text.substr(0, newline));
    return 0;
}
