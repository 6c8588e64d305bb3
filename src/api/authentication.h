// Who calls: a bearer key, a browser session, or the local owner of a server without keys. One
// function for every route, WebSocket upgrades included.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "http/request.h"
#include "service/keys.h"

namespace heddle::api {

inline constexpr std::string_view kSessionCookie = "heddle_session";

// Wrong keys are counted by address; above the limit the address gets 429 instead of 401 until its
// minute is over. Thread-safe, bounded.
class FailureLimiter {
public:
    FailureLimiter(std::size_t failures_per_minute, const Clock& clock)
        : limit_(failures_per_minute), clock_(clock) {}

    // Counts one failure; the seconds to wait when the address is over its limit, else 0.
    [[nodiscard]] int count_failure(const boost::asio::ip::address& address);

private:
    struct Window {
        SteadyTime begun;
        std::size_t failures = 0;
    };
    const std::size_t limit_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<boost::asio::ip::address, Window> windows_;  // guarded by mutex_
};

class Authenticator {
public:
    // `keys` may be null: everybody is the local owner.
    Authenticator(std::shared_ptr<service::Keys> keys, const Clock& clock)
        : keys_(std::move(keys)), limiter_(20, clock) {}

    // kUnauthenticated, kRateLimited, or kPermissionDenied for a browser request that another
    // site caused (`changes_state`: an unsafe method, or a GET that starts work).
    [[nodiscard]] Result<service::Identity> identify(const http::Request& request,
                                                     bool changes_state);
    // For /auth/login: the key stands in the body.
    [[nodiscard]] Result<service::Identity> identify_key(const http::Request& request,
                                                         std::string_view key);

private:
    std::shared_ptr<service::Keys> keys_;
    FailureLimiter limiter_;
};

// False when the browser says that another site's page caused the request. Other clients say
// nothing and pass.
[[nodiscard]] bool is_same_origin(const http::Request& request);

}  // namespace heddle::api
