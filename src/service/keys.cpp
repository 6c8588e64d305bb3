#include "service/keys.h"

#include <array>
#include <mutex>
#include <span>
#include <unordered_map>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/ids.h"
#include "base/random.h"
#include "storage/database.h"

namespace heddle::service {
namespace {

using Hash = std::array<std::byte, SHA256_DIGEST_LENGTH>;

const storage::Schema& schema() {
    static const storage::Schema keys{
        .room = "keys",
        .steps = {{.sql = "CREATE TABLE api_keys (id TEXT PRIMARY KEY, owner TEXT NOT NULL, "
                          "label TEXT NOT NULL, role TEXT NOT NULL, hash {blob} NOT NULL, "
                          "created_ms BIGINT NOT NULL, revoked_ms BIGINT);"
                          "CREATE TABLE sessions (hash {blob} PRIMARY KEY, csrf TEXT NOT NULL, "
                          "key_id TEXT NOT NULL, owner TEXT NOT NULL, role TEXT NOT NULL, "
                          "expires_ms BIGINT NOT NULL);"}}};
    return keys;
}

Hash hash_of(std::string_view text) {
    Hash hash;
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(hash.data()));
    return hash;
}

bool same(const Hash& a, const Hash& b) {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// 256 random bits in URL-safe base64 without padding.
std::string random_token() {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<std::byte, 32> bytes{};
    secure_random(bytes);
    std::string token;
    unsigned held = 0;
    int bits = 0;
    for (const std::byte byte : bytes) {
        held = (held << 8) | std::to_integer<unsigned>(byte);
        for (bits += 8; bits >= 6; bits -= 6) token += kAlphabet[(held >> (bits - 6)) & 63];
    }
    token += kAlphabet[(held << (6 - bits)) & 63];
    return token;
}

KeyRole role_of(std::string_view text) {
    return text == "admin" ? KeyRole::kAdmin : KeyRole::kUser;
}

Result<> check_name(std::string_view field, std::string_view value) {
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    });
    if (!value.empty() && value.size() <= 100 && printable) return {};
    return fail(Error(ErrorCode::kInvalidArgument,
                      fmt::format("{} must have 1 to 100 bytes and no control characters", field))
                    .with_param(std::string(field)));
}

Hash read_hash(std::span<const std::byte> bytes) {
    Hash hash{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    return hash;
}

struct KnownKey {
    Hash hash;
    Identity identity;
};

struct KnownSession {
    Hash hash;
    Session session;  // its token is not kept
};

// What requests are checked against; replaced as a whole.
struct Snapshot {
    std::vector<KnownKey> keys;
    std::vector<KnownSession> sessions;
};

Result<Snapshot> load(storage::Session& db) {
    Snapshot snapshot;
    const auto read_key = [](const storage::Row& row) {
        return KnownKey{read_hash(row.blob(0)),
                        Identity{row.string(1), role_of(row.text(2)), row.string(3)}};
    };
    HEDDLE_TRY(
        snapshot.keys,
        db.select("SELECT hash, owner, role, id FROM api_keys WHERE revoked_ms IS NULL", read_key));
    const auto read_session = [](const storage::Row& row) {
        KnownSession known{read_hash(row.blob(0)), {}};
        known.session.csrf = row.string(1);
        known.session.identity = Identity{row.string(2), role_of(row.text(3)), row.string(4)};
        known.session.expires_ms = row.integer(5);
        return known;
    };
    HEDDLE_TRY(snapshot.sessions,
               db.select("SELECT hash, csrf, owner, role, key_id, expires_ms FROM sessions",
                         read_session));
    return snapshot;
}

}  // namespace

std::string_view to_string(KeyRole role) {
    return role == KeyRole::kAdmin ? "admin" : "user";
}

struct Keys::Impl {
    storage::Database& database;
    KeysOptions options;
    std::vector<KnownKey> file_keys;
    mutable std::mutex mutex;
    std::shared_ptr<const Snapshot> current = std::make_shared<Snapshot>();  // guarded by mutex

    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const {
        const std::lock_guard lock(mutex);
        return current;
    }
    void replace(Snapshot next) {
        auto fresh = std::make_shared<const Snapshot>(std::move(next));
        const std::lock_guard lock(mutex);
        current = std::move(fresh);
    }
    [[nodiscard]] bool key_lives(const Snapshot& known, const std::string& id) const {
        const auto is_it = [&](const KnownKey& key) { return key.identity.key_id == id; };
        return std::any_of(file_keys.begin(), file_keys.end(), is_it) ||
               std::any_of(known.keys.begin(), known.keys.end(), is_it);
    }
};

Identity local_identity() {
    return {.owner = "local", .role = KeyRole::kAdmin, .key_id = ""};
}

Keys::Keys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Keys::~Keys() = default;

Result<std::unique_ptr<Keys>> Keys::open(storage::Database& database, KeysOptions options,
                                         std::vector<std::string> file_keys) {
    HEDDLE_TRY_VOID(database.migrate(schema()));
    auto impl = std::unique_ptr<Impl>(new Impl{database, options, {}, {}, {}});
    for (std::size_t i = 0; i < file_keys.size(); ++i) {
        impl->file_keys.push_back(
            {hash_of(file_keys[i]), {"default", KeyRole::kAdmin, fmt::format("file-{}", i + 1)}});
    }
    HEDDLE_TRY(Snapshot snapshot, database.read_blocking(load));
    impl->replace(std::move(snapshot));
    return std::unique_ptr<Keys>(new Keys(std::move(impl)));
}

bool Keys::required() const {
    return !impl_->file_keys.empty() || !impl_->snapshot()->keys.empty();
}

async::Task<Result<std::string>> Keys::create(std::string owner, std::string label, KeyRole role) {
    HEDDLE_CO_TRY_VOID(check_name("owner", owner));
    HEDDLE_CO_TRY_VOID(check_name("label", label));
    const std::string key = "hd-" + random_token();
    const Hash hash = hash_of(key);
    const std::string id = new_id();
    const auto insert = [&](storage::Transaction& tx) {
        return tx.execute(
            "INSERT INTO api_keys (id, owner, label, role, hash, created_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            id, owner, label, to_string(role), std::span<const std::byte>(hash),
            impl_->database.clock().wall_ms());
    };
    HEDDLE_CO_TRY_VOID(co_await impl_->database.write(insert));
    HEDDLE_CO_TRY_VOID(co_await refresh());
    co_return key;
}

async::Task<Result<std::vector<KeyInfo>>> Keys::list() {
    const auto read = [](storage::Session& db) {
        const auto row_to_key = [](const storage::Row& row) {
            KeyInfo key{row.string(0),        row.string(1),  row.string(2),
                        role_of(row.text(3)), row.integer(4), row.optional_integer(5)};
            return key;
        };
        return db.select(
            "SELECT id, owner, label, role, created_ms, revoked_ms FROM api_keys "
            "ORDER BY id",
            row_to_key);
    };
    co_return co_await impl_->database.read(read);
}

async::Task<Result<>> Keys::revoke(std::string id) {
    const auto update = [&](storage::Transaction& tx) -> Result<std::int64_t> {
        HEDDLE_TRY(const std::int64_t changed,
                   tx.execute("UPDATE api_keys SET revoked_ms = ? WHERE id = ? AND revoked_ms IS "
                              "NULL",
                              impl_->database.clock().wall_ms(), id));
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM sessions WHERE key_id = ?", id));
        return changed;
    };
    HEDDLE_CO_TRY(const std::int64_t changed, co_await impl_->database.write(update));
    if (changed == 0) {
        co_return fail(
            Error(ErrorCode::kNotFound, "no such key, or it is revoked already").with_param("id"));
    }
    co_return co_await refresh();
}

std::optional<Identity> Keys::authenticate(std::string_view key) const {
    const Hash given = hash_of(key);
    const auto known = impl_->snapshot();
    const KnownKey* found = nullptr;
    // Every key is compared, so that the time tells nothing of which one fits.
    for (const std::vector<KnownKey>* keys : {&std::as_const(impl_->file_keys), &known->keys}) {
        for (const KnownKey& candidate : *keys) {
            if (same(candidate.hash, given)) found = &candidate;
        }
    }
    if (found == nullptr) return std::nullopt;
    return found->identity;
}

async::Task<Result<Session>> Keys::open_session(Identity identity) {
    const std::int64_t now = impl_->database.clock().wall_ms();
    const auto lifetime =
        std::chrono::duration_cast<std::chrono::milliseconds>(impl_->options.session_lifetime);
    Session session{random_token(), random_token(), std::move(identity), now + lifetime.count()};
    const Hash hash = hash_of(session.token);
    const auto insert = [&](storage::Transaction& tx) -> Result<std::int64_t> {
        HEDDLE_TRY_VOID(tx.execute("DELETE FROM sessions WHERE expires_ms < ?", now));
        HEDDLE_TRY(const std::int64_t open, tx.number("SELECT count(*) FROM sessions"));
        if (open >= static_cast<std::int64_t>(impl_->options.sessions_max))
            return fail(ErrorCode::kUnavailable, "too many sessions are open");
        return tx.execute(
            "INSERT INTO sessions (hash, csrf, key_id, owner, role, expires_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            std::span<const std::byte>(hash), session.csrf, session.identity.key_id,
            session.identity.owner, to_string(session.identity.role), session.expires_ms);
    };
    HEDDLE_CO_TRY_VOID(co_await impl_->database.write(insert));
    HEDDLE_CO_TRY_VOID(co_await refresh());
    co_return session;
}

std::optional<Session> Keys::session(std::string_view token) const {
    const Hash given = hash_of(token);
    const auto known = impl_->snapshot();
    const KnownSession* found = nullptr;
    for (const KnownSession& candidate : known->sessions) {
        if (same(candidate.hash, given)) found = &candidate;
    }
    if (found == nullptr) return std::nullopt;
    if (found->session.expires_ms < impl_->database.clock().wall_ms()) return std::nullopt;
    const Identity& identity = found->session.identity;
    if (!identity.key_id.empty() && !impl_->key_lives(*known, identity.key_id)) return std::nullopt;
    Session session = found->session;
    session.token = token;
    return session;
}

async::Task<> Keys::close_session(std::string token) {
    const Hash hash = hash_of(token);
    const auto erase = [&](storage::Transaction& tx) {
        return tx.execute("DELETE FROM sessions WHERE hash = ?", std::span<const std::byte>(hash));
    };
    if (co_await impl_->database.write(erase)) static_cast<void>(co_await refresh());
}

async::Task<Result<>> Keys::refresh() {
    HEDDLE_CO_TRY(Snapshot snapshot, co_await impl_->database.read(load));
    impl_->replace(std::move(snapshot));
    co_return Result<>();
}

}  // namespace heddle::service
