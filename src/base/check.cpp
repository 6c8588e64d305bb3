#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace heddle {

void check_failed(const char* expression, std::string_view message, const char* file, int line) {
    // Plain stdio: the logger may be what failed.
    std::fprintf(stderr, "heddle: check failed: %s (%.*s) at %s:%d\n", expression,
                 static_cast<int>(message.size()), message.data(), file, line);
    std::fflush(stderr);
    std::abort();
}

}  // namespace heddle
