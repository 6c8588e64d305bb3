// SQLite behind Connection: WAL, synchronous FULL (a commit survives power loss), foreign keys on.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "storage/connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace heddle::storage {

class SqliteConnection final : public Connection {
public:
    enum class Access { kWrite, kRead };

    // Opens or creates the file. kCorrupt when it is damaged or no database, kConflict when it
    // belongs to another program.
    static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, Access access);
    ~SqliteConnection() override;

    [[nodiscard]] Dialect dialect() const override { return Dialect::kSqlite; }
    Result<std::int64_t> run(std::string_view sql, std::span<const Bind> values,
                             const RowFunction& each) override;
    Result<> script(const std::string& sql) override;
    Result<> begin_write() override { return script("BEGIN IMMEDIATE"); }
    Result<> begin_read() override { return script("BEGIN"); }
    Result<> commit() override { return script("COMMIT"); }
    void rollback() override;
    [[nodiscard]] bool in_transaction() const override;

private:
    struct Close {
        void operator()(sqlite3* db) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

    explicit SqliteConnection(sqlite3* db) : db_(db) {}
    Result<> configure(Access access);
    Result<Statement> prepare(std::string_view sql);
    void keep(std::string_view sql, Statement statement);
    [[nodiscard]] Error error(int code, std::string_view sql) const;

    std::unique_ptr<sqlite3, Close> db_;
    // Prepared statements at rest, by their text; one in use is not in here.
    std::unordered_map<std::string, Statement> prepared_;
};

}  // namespace heddle::storage
