// PostgreSQL behind Connection, through libpq. Commits are synchronous (the server's setting is
// made sure of). Every answer is awaited for a limited time, since a server behind a network that
// swallows packets never answers; a connection that was lost so or otherwise is made anew at the
// next begin.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "storage/connection.h"

struct pg_conn;
struct pg_result;

namespace heddle::storage {

// "postgres://…" or "postgresql://…".
[[nodiscard]] bool is_postgres_url(std::string_view location);

// `?` outside of quotes as `$1`, `$2`, …
[[nodiscard]] std::string with_numbered_values(std::string_view sql);

class PostgresConnection final : public Connection {
public:
    // kUnavailable when the server does not answer. The URL may hold a password: it is not
    // repeated in errors or logs. Scripts (migrations) may take thirty times the patience.
    static Result<std::unique_ptr<PostgresConnection>> open(
        const std::string& url,
        std::chrono::milliseconds patience = std::chrono::milliseconds(20'000));
    ~PostgresConnection() override;

    [[nodiscard]] Dialect dialect() const override { return Dialect::kPostgres; }
    Result<std::int64_t> run(std::string_view sql, std::span<const Bind> values,
                             const RowFunction& each) override;
    Result<> script(const std::string& sql) override;
    Result<> order(const std::string& sql) override;
    Result<> begin_write() override;
    Result<> begin_read() override;
    Result<> commit() override { return order("COMMIT"); }
    void rollback() override;
    [[nodiscard]] bool in_transaction() const override;
    [[nodiscard]] std::optional<std::int64_t> begun_at_ms() const override { return begun_at_ms_; }

    // For LISTEN: hands on the messages that have come; false when the connection is lost.
    bool take_notices(const std::function<void(std::string_view)>& fn);
    // Of the socket, to wait for them; -1 when it is lost.
    [[nodiscard]] int descriptor() const;

private:
    struct Close {
        void operator()(pg_conn* connection) const;
    };
    struct Clear {
        void operator()(pg_result* result) const;
    };
    using Answer = std::unique_ptr<pg_result, Clear>;

    PostgresConnection(pg_conn* connection, std::chrono::milliseconds patience)
        : connection_(connection), patience_(patience) {}
    Result<> configure();
    Result<> reconnect_if_lost();
    [[nodiscard]] bool is_lost() const;
    Result<> begin(const std::string& sql);
    // The last answer to what was sent (libpq says 1), or null: the connection is then lost.
    [[nodiscard]] Answer answer(int sent, std::chrono::milliseconds patience);
    Result<> check(const pg_result* result, std::string_view sql) const;
    Result<std::string> prepared(std::string_view sql, int values);
    [[nodiscard]] Error error(const pg_result* result, std::string_view sql) const;

    std::unique_ptr<pg_conn, Close> connection_;
    const std::chrono::milliseconds patience_;
    bool silent_ = false;  // the server did not answer in time
    std::optional<std::int64_t> begun_at_ms_;
    std::unordered_map<std::string, std::string> prepared_;  // names on the server, by text
};

}  // namespace heddle::storage
