#include "app/environment.h"

#include <cstdlib>

namespace heddle::app {

std::string environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

}  // namespace heddle::app
