// Keeps the last warnings and errors in memory, beside whatever writes the log.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "api/endpoint.h"
#include "base/log.h"

namespace heddle::app {

// Thread-safe.
class RecentErrors final : public log::Sink {
public:
    explicit RecentErrors(std::shared_ptr<log::Sink> next, std::size_t kept = 200)
        : next_(std::move(next)), kept_(kept) {}

    void write(log::Level level, std::string_view room, std::string_view message,
               log::Fields fields) override;

    // Newest first.
    [[nodiscard]] std::vector<api::LogLine> lines() const;

private:
    const std::shared_ptr<log::Sink> next_;
    const std::size_t kept_;
    mutable std::mutex mutex_;
    std::deque<api::LogLine> lines_;  // guarded by mutex_, newest first
};

}  // namespace heddle::app
