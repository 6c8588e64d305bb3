// What the environment says. Read while settings are put together, before threads are started.
#pragma once

#include <string>

namespace heddle::app {

// Empty when it is not set.
[[nodiscard]] std::string environment_variable(const char* name);

}  // namespace heddle::app
