// What a read or write function is given to speak with the database: typed statements inside one
// transaction. Lives on a database thread, never leaves the function.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "storage/connection.h"

namespace heddle::storage {

// A consistent view: all statements of one Session see the same state of the database.
class Session {
public:
    Session(Connection& connection, const Clock& clock) : connection_(connection), clock_(clock) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // session.execute("UPDATE t SET a = ? WHERE id = ?", a, id): the rows changed.
    template <class... Args>
    Result<std::int64_t> execute(std::string_view sql, const Args&... args) {
        const std::array<Bind, sizeof...(Args)> values{Bind(args)...};
        return connection_.run(sql, values, nullptr);
    }
    Result<std::int64_t> execute_with(std::string_view sql, std::span<const Bind> values) {
        return connection_.run(sql, values, nullptr);
    }

    // Several statements that take no values; for migrations.
    Result<> script(const std::string& sql) {
        if (sql.empty()) return {};
        return connection_.script(sql);
    }

    // Calls fn(row) for every row.
    template <class Fn, class... Args>
    Result<> each(std::string_view sql, Fn&& fn, const Args&... args) {
        const std::array<Bind, sizeof...(Args)> values{Bind(args)...};
        return each_with(sql, std::forward<Fn>(fn), values);
    }
    Result<> each_with(std::string_view sql, const RowFunction& fn, std::span<const Bind> values) {
        HEDDLE_TRY_VOID(connection_.run(sql, values, fn));
        return {};
    }

    // fn(row) of every row, in order.
    template <class Fn, class... Args>
    auto select(std::string_view sql, Fn fn, const Args&... args)
        -> Result<std::vector<std::invoke_result_t<Fn&, const Row&>>> {
        const std::array<Bind, sizeof...(Args)> values{Bind(args)...};
        return select_with(sql, std::move(fn), values);
    }
    template <class Fn>
    auto select_with(std::string_view sql, Fn fn, std::span<const Bind> values)
        -> Result<std::vector<std::invoke_result_t<Fn&, const Row&>>> {
        std::vector<std::invoke_result_t<Fn&, const Row&>> out;
        const RowFunction collect = [&](const Row& row) { out.push_back(fn(row)); };
        HEDDLE_TRY_VOID(connection_.run(sql, values, collect));
        return out;
    }

    // fn(row) of the first row, or nothing.
    template <class Fn, class... Args>
    auto first(std::string_view sql, Fn fn, const Args&... args)
        -> Result<std::optional<std::invoke_result_t<Fn&, const Row&>>> {
        std::optional<std::invoke_result_t<Fn&, const Row&>> out;
        const RowFunction take = [&](const Row& row) {
            if (!out) out.emplace(fn(row));
        };
        const std::array<Bind, sizeof...(Args)> values{Bind(args)...};
        HEDDLE_TRY_VOID(connection_.run(sql, values, take));
        return out;
    }

    // A single number, 0 when there is no row: counts, sums, existence.
    template <class... Args>
    Result<std::int64_t> number(std::string_view sql, const Args&... args) {
        const auto read = [](const Row& row) { return row.integer(0); };
        HEDDLE_TRY(const auto found, first(sql, read, args...));
        return found.value_or(0);
    }

    [[nodiscard]] Dialect dialect() const { return connection_.dialect(); }
    // The time by which rows are stamped, milliseconds since 1970: the server's at the begin of
    // the transaction where several machines share one, so that their clocks need not agree.
    [[nodiscard]] Result<std::int64_t> now_ms();

protected:
    Connection& connection_;
    const Clock& clock_;
};

// A Session that may write. Its function runs with others in one commit, each in a savepoint of
// its own, and again from the start when a server asks for it: it acts on nothing but the
// transaction until after_commit.
class Transaction : public Session {
public:
    using Session::Session;

    // Runs on the writer thread right after the commit, before the caller resumes; not at all
    // when the transaction fails. In the order of registration. Must not throw or block.
    void after_commit(std::function<void()> fn) { hooks_.push_back(std::move(fn)); }
    // Reaches Database::on_news of the other processes of this store when the commit does: a line
    // of at most 300 bytes. It may come twice or, at a loss of the connection, not at all.
    void tell_others(std::string news) {
        if (dialect() == Dialect::kPostgres) news_.push_back(std::move(news));
    }

    [[nodiscard]] std::vector<std::function<void()>> take_hooks() {
        return std::exchange(hooks_, {});
    }
    [[nodiscard]] std::vector<std::string> take_news() { return std::exchange(news_, {}); }

private:
    std::vector<std::function<void()>> hooks_;
    std::vector<std::string> news_;
};

// "?, ?, ?"
[[nodiscard]] std::string placeholders(std::size_t count);

}  // namespace heddle::storage
