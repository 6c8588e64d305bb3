#include "async/deadline.h"

namespace heddle::async::impl {

// A timer set to the end of time overflows in the reactor; a day at a time does not.
Task<> wait_until(std::chrono::steady_clock::time_point when) {
    using namespace std::chrono_literals;
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= when) co_return;
        co_await sleep_for(when - now > 24h ? std::chrono::nanoseconds(24h) : when - now);
    }
}

}  // namespace heddle::async::impl
