// A bar of a terminal: "[####....]".
#pragma once

#include <string>

namespace heddle::app {

// `share` from 0 to 1; beyond, the bar is empty or full.
[[nodiscard]] std::string progress_bar(double share);

}  // namespace heddle::app
