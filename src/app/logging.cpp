#include "app/logging.h"

#include <string>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"

namespace heddle::app {
namespace {

spdlog::level::level_enum level_of(log::Level level) {
    switch (level) {
        case log::Level::kDebug:
            return spdlog::level::debug;
        case log::Level::kInfo:
            return spdlog::level::info;
        case log::Level::kWarn:
            return spdlog::level::warn;
        case log::Level::kError:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

// Text that came from outside must not forge a second line.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\\n";
        } else {
            out += byte < 0x20 || byte == 0x7F ? '?' : c;
        }
    }
    return out;
}

class TextSink final : public log::Sink {
public:
    TextSink() : logger_("heddle", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
        logger_.set_level(spdlog::level::debug);
        logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5l%$ %v");
        logger_.flush_on(spdlog::level::debug);
    }
    void write(log::Level level, std::string_view room, std::string_view message,
               log::Fields fields) override {
        std::string line = fmt::format("{}: {}", room, message);
        for (const log::Field& field : fields)
            line += fmt::format("  {}={}", field.name, one_line(field.value));
        logger_.log(level_of(level), "{}", line);
    }

private:
    spdlog::logger logger_;
};

class JsonSink final : public log::Sink {
public:
    JsonSink() : logger_("heddle", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
        logger_.set_level(spdlog::level::debug);
        logger_.set_pattern("%v");
        logger_.flush_on(spdlog::level::debug);
    }
    void write(log::Level level, std::string_view room, std::string_view message,
               log::Fields fields) override {
        nlohmann::ordered_json entry;
        entry["ts"] = Clock::system().wall_ms();
        entry["level"] = spdlog::level::to_string_view(level_of(level)).data();
        entry["room"] = room;
        entry["message"] = message;
        for (const log::Field& field : fields) entry[std::string(field.name)] = field.value;
        logger_.log(level_of(level), "{}",
                    entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }

private:
    spdlog::logger logger_;
};

}  // namespace

std::shared_ptr<log::Sink> make_log_sink(LogFormat format) {
    if (format == LogFormat::kJson) return std::make_shared<JsonSink>();
    return std::make_shared<TextSink>();
}

log::Level parse_log_level(std::string_view name) {
    if (name == "debug") return log::Level::kDebug;
    if (name == "warn") return log::Level::kWarn;
    if (name == "error") return log::Level::kError;
    return log::Level::kInfo;
}

}  // namespace heddle::app
