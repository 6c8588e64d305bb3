#include "http/connection_pool.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace heddle::http {
namespace {

// An idle connection that has something to read was closed, or says something unasked.
bool is_open_and_silent(Transport& transport) {
    char byte = 0;
    const ssize_t got =
        ::recv(transport.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

std::unique_ptr<Transport> ConnectionPool::take(const Key& key) {
    std::list<Idle> dropped;  // closed after the lock is released
    const std::lock_guard lock(mutex_);
    const SteadyTime oldest = std::chrono::steady_clock::now() - idle_max_;
    while (!idle_.empty() && idle_.front().since < oldest) {
        dropped.splice(dropped.end(), idle_, idle_.begin());
    }
    for (auto it = idle_.end(); it != idle_.begin();) {
        const auto candidate = --it;
        if (candidate->key != key) continue;
        ++it;
        dropped.splice(dropped.end(), idle_, candidate);
        if (is_open_and_silent(*dropped.back().transport)) {
            return std::move(dropped.back().transport);
        }
    }
    return nullptr;
}

void ConnectionPool::give(const Key& key, std::unique_ptr<Transport> transport) {
    std::list<Idle> dropped;
    const std::lock_guard lock(mutex_);
    const auto same = [&](const Idle& idle) { return idle.key == key; };
    const auto kept = static_cast<std::size_t>(std::count_if(idle_.begin(), idle_.end(), same));
    if (kept >= idle_per_key_max_) {
        dropped.splice(dropped.end(), idle_, std::find_if(idle_.begin(), idle_.end(), same));
    }
    if (idle_per_key_max_ == 0) return;
    idle_.push_back({key, std::move(transport), std::chrono::steady_clock::now()});
}

void ConnectionPool::clear() {
    std::list<Idle> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(idle_);
}

}  // namespace heddle::http
