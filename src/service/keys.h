// Who may call: API keys and browser sessions. Keys are kept as SHA-256 only.
#pragma once

#include <chrono>
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
[[nodiscard]] std::string_view to_string(KeyRole role);  // "user" or "admin"

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

struct KeysOptions {
    std::chrono::hours session_lifetime{30 * 24};
    std::size_t sessions_max = 10'000;
};

// Thread-safe. Lookups are answered from memory, so that a request costs no database read;
// refresh() brings in what another process (`heddle keys`) has changed.
class Keys {
public:
    // Creates its tables and loads them. `file_keys` come from --api-key-file and are admins of
    // the owner "default"; they are never stored.
    static Result<std::unique_ptr<Keys>> open(storage::Database& database, KeysOptions options,
                                              std::vector<std::string> file_keys);
    ~Keys();

    // Whether any key exists; without one only loopback is served and everybody is `local`.
    [[nodiscard]] bool required() const;

    // The key in clear is returned once and never stored. kInvalidArgument naming `owner` or
    // `label` when it is empty, longer than 100 bytes or holds control characters.
    async::Task<Result<std::string>> create(std::string owner, std::string label, KeyRole role);
    async::Task<Result<std::vector<KeyInfo>>> list();
    async::Task<Result<>> revoke(std::string id);

    // Compares hashes in constant time over all keys.
    [[nodiscard]] std::optional<Identity> authenticate(std::string_view key) const;

    async::Task<Result<Session>> open_session(Identity identity);
    // Nothing when unknown, expired, or its key has been revoked.
    [[nodiscard]] std::optional<Session> session(std::string_view token) const;
    async::Task<> close_session(std::string token);

    async::Task<Result<>> refresh();

private:
    struct Impl;
    explicit Keys(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Who everybody is on a loopback server without keys.
[[nodiscard]] Identity local_identity();

}  // namespace heddle::service
