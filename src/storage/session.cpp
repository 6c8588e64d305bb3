#include "storage/session.h"

namespace heddle::storage {

Result<std::int64_t> Session::now_ms() {
    if (dialect() == Dialect::kSqlite || &clock_ != &Clock::system()) return clock_.wall_ms();
    return number("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)");
}

std::string placeholders(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ", ?";
    return out;
}

}  // namespace heddle::storage
