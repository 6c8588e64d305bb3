// spdlog behind base's log interface: text for people, one JSON object a line for machines, both on
// stderr.
#pragma once

#include <memory>
#include <string_view>

#include "base/log.h"

namespace heddle::app {

enum class LogFormat { kText, kJson };

// To be installed with log::set_sink() before threads start. Thread-safe.
[[nodiscard]] std::shared_ptr<log::Sink> make_log_sink(LogFormat format);

[[nodiscard]] log::Level parse_log_level(std::string_view name);

}  // namespace heddle::app
