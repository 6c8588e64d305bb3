// Who may call: API keys and browser sessions. Keys are kept as SHA-256 only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"

namespace heddle::storage {
class Database;
}

namespace heddle::service {

enum class KeyRole { kUser, kAdmin };

struct KeyInfo {
    std::string id;
    std::string owner;  // whose documents and conversations it opens
    std::string label;
    KeyRole role = KeyRole::kUser;
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> revoked_ms;
};

struct Identity {
    std::string owner;
    KeyRole role = KeyRole::kUser;
    std::string key_id;  // empty for the anonymous owner of a loopback server without keys
};

struct Session {
    std::string token;  // the cookie; kept as a hash, shown once
    std::string csrf;   // to be sent back in X-CSRF-Token with unsafe methods
    Identity identity;
    std::int64_t expires_ms = 0;
};

// Thread-safe. Lookups are answered from memory (a copy of the keys table, reloaded when another
// process changed it), so that a request costs no database read.
class Keys {
public:
    virtual ~Keys() = default;

    // Whether any key exists; without one only loopback is served and everybody is `local`.
    [[nodiscard]] virtual bool required() const = 0;

    // The key in clear is returned once and never stored.
    virtual async::Task<Result<std::string>> create(std::string owner, std::string label,
                                                    KeyRole role) = 0;
    virtual async::Task<Result<std::vector<KeyInfo>>> list() = 0;
    virtual async::Task<Result<>> revoke(std::string id) = 0;

    // Compares hashes in constant time over all keys.
    [[nodiscard]] virtual std::optional<Identity> authenticate(std::string_view key) const = 0;

    virtual async::Task<Result<Session>> open_session(Identity identity) = 0;
    [[nodiscard]] virtual std::optional<Session> session(std::string_view token) const = 0;
    virtual async::Task<> close_session(std::string token) = 0;
};

}  // namespace heddle::service
