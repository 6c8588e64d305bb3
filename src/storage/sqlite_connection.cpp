#include "storage/sqlite_connection.h"

#include <limits>

#include <sqlite3.h>

#include "base/check.h"
#include "base/log.h"

namespace heddle::storage {
namespace {

constexpr std::size_t kPreparedMax = 256;
constexpr int kBusyTimeoutMs = 5000;
// "HDDL": tells our files from those of other programs.
constexpr std::int64_t kApplicationId = 0x4844444c;

class SqliteRow final : public Row {
public:
    explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
    [[nodiscard]] bool is_null(int column) const override {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }
    [[nodiscard]] std::int64_t integer(int column) const override {
        return sqlite3_column_int64(statement_, column);
    }
    [[nodiscard]] double real(int column) const override {
        return sqlite3_column_double(statement_, column);
    }
    [[nodiscard]] std::string_view text(int column) const override {
        const unsigned char* data = sqlite3_column_text(statement_, column);
        if (data == nullptr) return {};
        return {reinterpret_cast<const char*>(data), bytes(column)};
    }
    [[nodiscard]] std::span<const std::byte> blob(int column) const override {
        const void* data = sqlite3_column_blob(statement_, column);
        if (data == nullptr) return {};
        return {static_cast<const std::byte*>(data), bytes(column)};
    }

private:
    [[nodiscard]] std::size_t bytes(int column) const {
        return static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    }
    sqlite3_stmt* statement_;
};

// SQLite takes a null pointer for NULL, where an empty value is meant.
template <class T>
const void* never_null(const T* data) {
    return data == nullptr ? "" : static_cast<const void*>(data);
}

struct Binder {
    sqlite3_stmt* statement;
    int index;

    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
    int operator()(double value) const { return sqlite3_bind_double(statement, index, value); }
    int operator()(std::string_view value) const {
        const char* data = static_cast<const char*>(never_null(value.data()));
        return sqlite3_bind_text64(statement, index, data, value.size(), SQLITE_STATIC,
                                   SQLITE_UTF8);
    }
    int operator()(std::span<const std::byte> value) const {
        return sqlite3_bind_blob64(statement, index, never_null(value.data()), value.size(),
                                   SQLITE_STATIC);
    }
};

std::string constraint_name(int extended) {
    switch (extended) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
            return "unique";
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return "foreign_key";
        default:
            return "constraint";
    }
}

}  // namespace

void SqliteConnection::Close::operator()(sqlite3* db) const {
    sqlite3_close_v2(db);
}

void SqliteConnection::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path,
                                                                 Access access) {
    sqlite3* db = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
    const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
    std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db));
    if (code != SQLITE_OK) return fail(connection->error(code, "open"));
    HEDDLE_TRY_VOID(connection->configure(access));
    return connection;
}

Result<> SqliteConnection::configure(Access access) {
    sqlite3_busy_timeout(db_.get(), kBusyTimeoutMs);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    std::int64_t application = 0;
    std::int64_t tables = 0;
    const RowFunction read_application = [&](const Row& row) { application = row.integer(0); };
    const RowFunction read_tables = [&](const Row& row) { tables = row.integer(0); };
    HEDDLE_TRY_VOID(run("PRAGMA application_id", {}, read_application));
    HEDDLE_TRY_VOID(run("SELECT count(*) FROM sqlite_master", {}, read_tables));
    if (application != kApplicationId && (application != 0 || tables != 0)) {
        return fail(ErrorCode::kConflict, "the database file belongs to another program");
    }
    if (access == Access::kWrite) {
        HEDDLE_TRY_VOID(script("PRAGMA journal_mode = WAL"));
        if (application == 0) {
            HEDDLE_TRY_VOID(script("PRAGMA application_id = " + std::to_string(kApplicationId)));
        }
    } else {
        HEDDLE_TRY_VOID(script("PRAGMA query_only = ON"));
    }
    return script(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = OFF;"
        "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
        "PRAGMA journal_size_limit = 67108864");
}

Result<SqliteConnection::Statement> SqliteConnection::prepare(std::string_view sql) {
    if (const auto found = prepared_.find(std::string(sql)); found != prepared_.end()) {
        Statement statement = std::move(found->second);
        prepared_.erase(found);
        return statement;
    }
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, &rest);
    Statement statement(raw);
    if (code != SQLITE_OK) return fail(error(code, sql));
    HEDDLE_CHECK(raw != nullptr && rest == sql.data() + sql.size(), "one statement at a time");
    return statement;
}

void SqliteConnection::keep(std::string_view sql, Statement statement) {
    sqlite3_reset(statement.get());
    sqlite3_clear_bindings(statement.get());
    if (prepared_.size() >= kPreparedMax) prepared_.clear();
    prepared_.insert_or_assign(std::string(sql), std::move(statement));
}

Result<std::int64_t> SqliteConnection::run(std::string_view sql, std::span<const Bind> values,
                                           const RowFunction& each) {
    HEDDLE_TRY(Statement statement, prepare(sql));
    HEDDLE_CHECK(sqlite3_bind_parameter_count(statement.get()) == static_cast<int>(values.size()),
                 "a value for every ? of the statement");
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Binder binder{statement.get(), static_cast<int>(i) + 1};
        const int code = std::visit(binder, values[i].value());
        if (code != SQLITE_OK) return fail(error(code, sql));
    }
    const SqliteRow row(statement.get());
    const std::int64_t before = sqlite3_total_changes64(db_.get());
    for (;;) {
        const int code = sqlite3_step(statement.get());
        if (code == SQLITE_DONE) break;
        if (code != SQLITE_ROW) return fail(error(code, sql));
        if (each) each(row);
    }
    const bool writes = sqlite3_stmt_readonly(statement.get()) == 0;
    const bool changed = writes && sqlite3_total_changes64(db_.get()) != before;
    keep(sql, std::move(statement));
    return changed ? sqlite3_changes64(db_.get()) : 0;
}

Result<> SqliteConnection::script(const std::string& sql) {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(error(code, sql));
    return {};
}

void SqliteConnection::rollback() {
    if (in_transaction()) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

bool SqliteConnection::in_transaction() const {
    return sqlite3_get_autocommit(db_.get()) == 0;
}

Error SqliteConnection::error(int code, std::string_view sql) const {
    const int primary = code & 0xff;
    if (primary == SQLITE_CONSTRAINT) {
        return Error(ErrorCode::kConflict, "this already exists or breaks a rule of the data")
            .with_reason(constraint_name(code));
    }
    const char* detail = db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code);
    log::error("storage", "a statement failed",
               {{"code", sqlite3_errstr(code)}, {"detail", detail}, {"statement", sql}});
    switch (primary) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorCode::kCorrupt,
                    "the database is damaged; restore a backup, or move it away to start anew"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::kUnavailable, "the database is busy; try again"};
        case SQLITE_FULL:
            return {ErrorCode::kIo, "no space is left for the database"};
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return {ErrorCode::kIo, "the database cannot be opened for writing"};
        case SQLITE_IOERR:
            return {ErrorCode::kIo, "the database could not be read or written"};
        case SQLITE_TOOBIG:
            return {ErrorCode::kTooLarge, "a value is too large for the database"};
        default:
            return {ErrorCode::kInternal, "the database refused a statement"};
    }
}

}  // namespace heddle::storage
