// One connection to a database, whichever it is, and the values that go in and come out. Statements
// are written in the SQL that SQLite and PostgreSQL share, with `?` for each bound value; the few
// words that differ stand in Dialect.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace heddle::storage {

enum class Dialect { kSqlite, kPostgres };

// A value to bind. It borrows text and bytes, which must live until the statement has run.
class Bind {
public:
    using Value = std::variant<std::monostate, std::int64_t, double, std::string_view,
                               std::span<const std::byte>>;

    Bind(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as an argument list
    template <std::integral T>
    Bind(T value) : value_(static_cast<std::int64_t>(value)) {}          // NOLINT
    Bind(double value) : value_(value) {}                                // NOLINT
    Bind(std::string_view value) : value_(value) {}                      // NOLINT
    Bind(const std::string& value) : value_(std::string_view(value)) {}  // NOLINT
    Bind(const char* value) : value_(std::string_view(value)) {}         // NOLINT
    Bind(std::span<const std::byte> value) : value_(value) {}            // NOLINT
    template <class T>
    Bind(const std::optional<T>& value) {  // NOLINT
        if (value) value_ = Bind(*value).value();
    }

    [[nodiscard]] const Value& value() const { return value_; }

private:
    Value value_;
};

// The row a query stands at. Views are valid until the row callback returns. A column of another
// type than asked for, and NULL, read as zero or empty.
class Row {
public:
    virtual ~Row() = default;
    [[nodiscard]] virtual bool is_null(int column) const = 0;
    [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
    [[nodiscard]] virtual double real(int column) const = 0;
    [[nodiscard]] virtual std::string_view text(int column) const = 0;
    [[nodiscard]] virtual std::span<const std::byte> blob(int column) const = 0;

    [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
    [[nodiscard]] bool boolean(int column) const { return integer(column) != 0; }
    [[nodiscard]] std::optional<std::string> optional_string(int column) const {
        return is_null(column) ? std::nullopt : std::optional(string(column));
    }
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const {
        return is_null(column) ? std::nullopt : std::optional(integer(column));
    }
};

using RowFunction = std::function<void(const Row&)>;

// Used by one thread at a time; every call blocks. Errors: kConflict for a broken constraint
// (reason "unique", "foreign_key" or "constraint"), kUnavailable for a busy or absent server
// (reason kGaveWay when the whole transaction is to be run again), kCorrupt, kIo, and kInternal for
// SQL that is wrong.
inline constexpr std::string_view kGaveWay = "gave_way";

class Connection {
public:
    virtual ~Connection() = default;
    [[nodiscard]] virtual Dialect dialect() const = 0;

    // Runs one statement, calls `each` (may be empty) for every row, returns the rows changed.
    virtual Result<std::int64_t> run(std::string_view sql, std::span<const Bind> values,
                                     const RowFunction& each) = 0;
    // Runs several statements that take no values and may take long (migrations).
    virtual Result<> script(const std::string& sql) = 0;
    // The same for what is quick (savepoints).
    virtual Result<> order(const std::string& sql) { return script(sql); }

    virtual Result<> begin_write() = 0;
    virtual Result<> begin_read() = 0;
    virtual Result<> commit() = 0;
    // Also after an error that has ended the transaction already. Never fails visibly.
    virtual void rollback() = 0;
    // False when the database itself has given the transaction up (disk full, I/O error).
    [[nodiscard]] virtual bool in_transaction() const = 0;
    // When the transaction began by the server's clock, in milliseconds since 1970; nothing where
    // this machine's clock is the one that counts.
    [[nodiscard]] virtual std::optional<std::int64_t> begun_at_ms() const { return std::nullopt; }
};

}  // namespace heddle::storage
