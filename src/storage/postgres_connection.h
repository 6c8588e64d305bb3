// PostgreSQL behind Connection, through libpq. Commits are synchronous (the server's setting is
// made sure of). A connection that was lost is made anew at the next begin.
#pragma once

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
    // repeated in errors or logs.
    static Result<std::unique_ptr<PostgresConnection>> open(const std::string& url);
    ~PostgresConnection() override;

    [[nodiscard]] Dialect dialect() const override { return Dialect::kPostgres; }
    Result<std::int64_t> run(std::string_view sql, std::span<const Bind> values,
                             const RowFunction& each) override;
    Result<> script(const std::string& sql) override;
    Result<> begin_write() override;
    Result<> begin_read() override;
    Result<> commit() override { return script("COMMIT"); }
    void rollback() override;
    [[nodiscard]] bool in_transaction() const override;

private:
    struct Close {
        void operator()(pg_conn* connection) const;
    };
    struct Clear {
        void operator()(pg_result* result) const;
    };
    using Answer = std::unique_ptr<pg_result, Clear>;

    explicit PostgresConnection(pg_conn* connection) : connection_(connection) {}
    Result<> configure();
    Result<> reconnect_if_lost();
    Result<std::string> prepared(std::string_view sql, int values);
    [[nodiscard]] Error error(const pg_result* result, std::string_view sql) const;

    std::unique_ptr<pg_conn, Close> connection_;
    std::unordered_map<std::string, std::string> prepared_;  // names on the server, by text
};

}  // namespace heddle::storage
