// HEDDLE_CHECK(condition, "what must hold"): always on, aborts with the place. For bugs only;
// never reachable from what a client, a file or a page can send.
#pragma once

#include <string_view>

namespace heddle {

[[noreturn]] void check_failed(const char* expression, std::string_view message, const char* file,
                               int line);

#define HEDDLE_CHECK(condition, message)                                       \
    do {                                                                       \
        if (!(condition)) [[unlikely]]                                         \
            ::heddle::check_failed(#condition, (message), __FILE__, __LINE__); \
    } while (false)

}  // namespace heddle
