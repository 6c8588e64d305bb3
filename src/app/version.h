// The version that the binary tells.
#pragma once

namespace heddle::app {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace heddle::app
