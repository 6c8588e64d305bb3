#include "app/recent_errors.h"

#include "base/clock.h"

namespace heddle::app {

void RecentErrors::write(log::Level level, std::string_view room, std::string_view message,
                         log::Fields fields) {
    next_->write(level, room, message, fields);
    if (level != log::Level::kWarn && level != log::Level::kError) return;
    api::LogLine line;
    line.at_ms = Clock::system().wall_ms();
    line.is_error = level == log::Level::kError;
    line.room = room;
    line.message = message;
    for (const log::Field& field : fields)
        line.fields.emplace_back(std::string(field.name), field.value);
    const std::lock_guard lock(mutex_);
    lines_.push_front(std::move(line));
    if (lines_.size() > kept_) lines_.pop_back();
}

std::vector<api::LogLine> RecentErrors::lines() const {
    const std::lock_guard lock(mutex_);
    return {lines_.begin(), lines_.end()};
}

}  // namespace heddle::app
