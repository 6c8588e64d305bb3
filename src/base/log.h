// Structured logging behind a narrow interface; app installs the sink (spdlog) once at start.
// log::warn("fetch", "page could not be retrieved", {{"host", host}, {"reason", why}});
// Thread-safe. Never log keys, prompts or document text above debug.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace heddle::log {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
    std::string_view name;
    std::string value;

    Field(std::string_view field, std::string_view text) : name(field), value(text) {}
    Field(std::string_view field, const char* text) : name(field), value(text) {}
    Field(std::string_view field, const std::string& text) : name(field), value(text) {}
    template <class T>
    Field(std::string_view field, const T& number) : name(field), value(fmt::to_string(number)) {}
};
using Fields = std::initializer_list<Field>;

class Sink {
public:
    virtual ~Sink() = default;
    virtual void write(Level level, std::string_view room, std::string_view message,
                       Fields fields) = 0;
};

// Replaces the process-wide sink; until then warnings and errors go to stderr. Not to be called
// while other threads log.
void set_sink(std::shared_ptr<Sink> sink);
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

void write(Level level, std::string_view room, std::string_view message, Fields fields);

inline void debug(std::string_view room, std::string_view message, Fields fields = {}) {
    write(Level::kDebug, room, message, fields);
}
inline void info(std::string_view room, std::string_view message, Fields fields = {}) {
    write(Level::kInfo, room, message, fields);
}
inline void warn(std::string_view room, std::string_view message, Fields fields = {}) {
    write(Level::kWarn, room, message, fields);
}
inline void error(std::string_view room, std::string_view message, Fields fields = {}) {
    write(Level::kError, room, message, fields);
}

}  // namespace heddle::log
