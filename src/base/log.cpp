#include "base/log.h"

#include <atomic>
#include <cstdio>

namespace heddle::log {
namespace {

std::atomic<Level> minimum{Level::kInfo};
std::shared_ptr<Sink> current;  // set before threads start

void write_stderr(Level level, std::string_view room, std::string_view message, Fields fields) {
    if (level < Level::kWarn) return;
    std::string line = fmt::format("heddle: {}: {}", room, message);
    for (const Field& field : fields) line += fmt::format(" {}={}", field.name, field.value);
    line += '\n';
    std::fputs(line.c_str(), stderr);
}

}  // namespace

void set_sink(std::shared_ptr<Sink> sink) {
    current = std::move(sink);
}

void set_level(Level level) {
    minimum.store(level, std::memory_order_relaxed);
}

bool enabled(Level level) {
    return level >= minimum.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view room, std::string_view message, Fields fields) {
    if (!enabled(level)) return;
    if (current) {
        current->write(level, room, message, fields);
    } else {
        write_stderr(level, room, message, fields);
    }
}

}  // namespace heddle::log
