// Which names stand at the end of a host. Internal to markup.
#pragma once

#include <string_view>

namespace heddle::markup {

// In lower case, as UTF-8 (not as xn--).
[[nodiscard]] bool is_country_domain(std::string_view lower_case);
[[nodiscard]] bool is_generic_domain(std::string_view lower_case);

}  // namespace heddle::markup
