// Idle client connections, kept to be used again.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "http/transport.h"
#include "http/url.h"

namespace heddle::http {

// Thread-safe.
class ConnectionPool {
public:
    struct Key {
        Origin origin;
        std::string address;       // where the caller pinned it; empty: wherever the name led
        const void* io = nullptr;  // the io_context that the socket belongs to
        [[nodiscard]] bool operator==(const Key&) const = default;
    };

    ConnectionPool(std::size_t idle_per_key_max, std::chrono::milliseconds idle_max)
        : idle_per_key_max_(idle_per_key_max), idle_max_(idle_max) {}

    // The connection used last, if one is still open and silent; else null.
    [[nodiscard]] std::unique_ptr<Transport> take(const Key& key);
    void give(const Key& key, std::unique_ptr<Transport> transport);
    void clear();

private:
    struct Idle {
        Key key;
        std::unique_ptr<Transport> transport;
        SteadyTime since;
    };

    const std::size_t idle_per_key_max_;
    const std::chrono::milliseconds idle_max_;
    std::mutex mutex_;
    std::list<Idle> idle_;  // guarded by mutex_; the longest idle first
};

}  // namespace heddle::http
