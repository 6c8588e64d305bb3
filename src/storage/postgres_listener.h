// Hears what other processes of a PostgreSQL store tell (LISTEN), on a connection and a thread of
// its own. A lost connection is made anew; what was told meanwhile is made up for by an empty line.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "storage/unique_fd.h"

namespace heddle::storage {

class PostgresListener {
public:
    using OnNews = std::function<void(std::string_view line)>;

    // Lines of messages from other origins reach `fn`. Connects in the background.
    static Result<std::unique_ptr<PostgresListener>> open(std::string url, std::string origin,
                                                          std::chrono::milliseconds patience,
                                                          OnNews fn);
    ~PostgresListener();
    PostgresListener(const PostgresListener&) = delete;
    PostgresListener& operator=(const PostgresListener&) = delete;

private:
    PostgresListener(std::string url, std::string origin, std::chrono::milliseconds patience,
                     OnNews fn, UniqueFd wake);
    void loop();
    // Until the connection is lost or the end is asked for.
    void hear();
    void hand_on(std::string_view message) const;
    [[nodiscard]] bool wait_for_end(std::chrono::milliseconds time) const;

    const std::string url_;
    const std::string origin_;
    const std::chrono::milliseconds patience_;
    const OnNews fn_;
    const UniqueFd wake_;  // readable when the end is asked for
    std::thread thread_;
};

}  // namespace heddle::storage
