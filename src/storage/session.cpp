#include "storage/session.h"

namespace heddle::storage {

Result<std::int64_t> Session::now_ms() {
    if (&clock_ != &Clock::system()) return clock_.wall_ms();
    return connection_.begun_at_ms().value_or(clock_.wall_ms());
}

std::string placeholders(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ", ?";
    return out;
}

}  // namespace heddle::storage
