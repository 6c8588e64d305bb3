#include "storage/postgres_connection.h"

#include <poll.h>
#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <vector>

#include "base/log.h"

namespace heddle::storage {
namespace {

constexpr std::size_t kPreparedMax = 256;
// A migration may have to rewrite a table.
constexpr int kScriptPatience = 30;

// Values come back as text; bytes as hexadecimal digits after "\x".
class PostgresRow final : public Row {
public:
    PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}

    [[nodiscard]] bool is_null(int column) const override {
        return PQgetisnull(result_, row_, column) == 1;
    }
    [[nodiscard]] std::int64_t integer(int column) const override {
        std::int64_t value = 0;
        const std::string_view digits = text(column);
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    }
    [[nodiscard]] double real(int column) const override {
        double value = 0;
        const std::string_view digits = text(column);
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    }
    [[nodiscard]] std::string_view text(int column) const override {
        return {PQgetvalue(result_, row_, column),
                static_cast<std::size_t>(PQgetlength(result_, row_, column))};
    }
    [[nodiscard]] std::span<const std::byte> blob(int column) const override {
        const std::string_view digits = text(column);
        if (!digits.starts_with("\\x")) return {};
        auto& bytes = blobs_.emplace_back();
        bytes.reserve(digits.size() / 2 - 1);
        for (std::size_t i = 2; i + 1 < digits.size(); i += 2) {
            unsigned value = 0;
            std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
            bytes.push_back(static_cast<std::byte>(value));
        }
        return bytes;
    }

private:
    const PGresult* result_;
    int row_;
    mutable std::deque<std::vector<std::byte>> blobs_;  // what blob() has handed out
};

// The arrays that libpq takes: texts end in a zero byte, bytes go as they are.
class Parameters {
public:
    explicit Parameters(std::span<const Bind> values) {
        for (const Bind& bind : values) std::visit(*this, bind.value());
    }
    void operator()(std::monostate) { add(nullptr, 0, false); }
    void operator()(std::int64_t value) { add_text(std::to_string(value)); }
    void operator()(double value) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        add_text(std::string(digits, end));
    }
    void operator()(std::string_view value) { add_text(std::string(value)); }
    void operator()(std::span<const std::byte> value) {
        const bool empty = value.empty();
        add(empty ? "" : reinterpret_cast<const char*>(value.data()), value.size(), true);
    }

    [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
    [[nodiscard]] const char* const* values() const { return values_.data(); }
    [[nodiscard]] const int* lengths() const { return lengths_.data(); }
    [[nodiscard]] const int* formats() const { return formats_.data(); }

private:
    void add_text(std::string text) {
        const std::string& kept = texts_.emplace_back(std::move(text));
        add(kept.c_str(), kept.size(), false);
    }
    void add(const char* value, std::size_t length, bool binary) {
        values_.push_back(value);
        lengths_.push_back(static_cast<int>(length));
        formats_.push_back(binary ? 1 : 0);
    }

    std::deque<std::string> texts_;
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

std::int64_t rows_changed(PGresult* result) {
    const std::string_view digits = PQcmdTuples(result);
    std::int64_t rows = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), rows);
    return rows;
}

}  // namespace

bool is_postgres_url(std::string_view location) {
    return location.starts_with("postgres://") || location.starts_with("postgresql://");
}

std::string with_numbered_values(std::string_view sql) {
    std::string out;
    int number = 0;
    bool quoted = false;
    for (const char c : sql) {
        if (c == '\'') quoted = !quoted;
        if (c == '?' && !quoted) {
            out += '$' + std::to_string(++number);
        } else {
            out += c;
        }
    }
    return out;
}

void PostgresConnection::Close::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

void PostgresConnection::Clear::operator()(pg_result* result) const {
    PQclear(result);
}

PostgresConnection::~PostgresConnection() = default;

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(
    const std::string& url, std::chrono::milliseconds patience) {
    // What the URL says comes later and wins.
    const std::string seconds = std::to_string(std::max<std::int64_t>(2, patience.count() / 1000));
    const char* const names[] = {
        "connect_timeout",  "application_name", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "dbname",          nullptr};
    const char* const values[] = {seconds.c_str(), "heddle",    "10",   "5", "3",
                                  "15000",         url.c_str(), nullptr};
    std::unique_ptr<PostgresConnection> connection(
        new PostgresConnection(PQconnectdbParams(names, values, 1), patience));
    if (PQstatus(connection->connection_.get()) != CONNECTION_OK) {
        return fail(ErrorCode::kUnavailable, "the database server cannot be reached");
    }
    HEDDLE_TRY_VOID(connection->configure());
    return connection;
}

Result<> PostgresConnection::configure() {
    prepared_.clear();
    silent_ = false;
    begun_at_ms_.reset();
    PQsetnonblocking(connection_.get(), 1);
    return order("SET synchronous_commit = on; SET client_min_messages = warning");
}

bool PostgresConnection::is_lost() const {
    return silent_ || PQstatus(connection_.get()) != CONNECTION_OK;
}

Result<> PostgresConnection::reconnect_if_lost() {
    if (!is_lost()) return {};
    PQreset(connection_.get());
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        return fail(Error(ErrorCode::kUnavailable, "the database server cannot be reached")
                        .with_retry_after(1));
    }
    log::warn("storage", "the connection to the database server was made anew");
    return configure();
}

Result<> PostgresConnection::begin_write() {
    return begin("BEGIN");
}

Result<> PostgresConnection::begin_read() {
    return begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

Result<> PostgresConnection::begin(const std::string& how) {
    const std::string sql =
        how + "; SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    // A server that was restarted shows only at the first use of the connection.
    for (int tries = 0;; ++tries) {
        HEDDLE_TRY_VOID(reconnect_if_lost());
        const Answer begun = answer(PQsendQuery(connection_.get(), sql.c_str()), patience_);
        if (PQresultStatus(begun.get()) == PGRES_TUPLES_OK) {
            begun_at_ms_ = PostgresRow(begun.get(), 0).integer(0);
            return {};
        }
        if (tries > 0 || !is_lost()) return fail(error(begun.get(), how));
    }
}

void PostgresConnection::rollback() {
    if (in_transaction()) (void)order("ROLLBACK");
}

bool PostgresConnection::in_transaction() const {
    if (is_lost()) return false;
    const auto status = PQtransactionStatus(connection_.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

PostgresConnection::Answer PostgresConnection::answer(int sent,
                                                      std::chrono::milliseconds patience) {
    using std::chrono::steady_clock;
    PGconn* const server = connection_.get();
    if (sent != 1 || silent_) return nullptr;
    const auto deadline = steady_clock::now() + patience;
    Answer last;
    for (;;) {
        const int unsent = PQflush(server);
        if (unsent < 0) return nullptr;
        if (unsent == 0 && PQisBusy(server) == 0) {
            Answer next(PQgetResult(server));
            if (!next) return last;
            last = std::move(next);
            if (PQstatus(server) != CONNECTION_OK) return last;
            continue;
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
        pollfd ready{.fd = PQsocket(server),
                     .events = static_cast<short>(POLLIN | (unsent > 0 ? POLLOUT : 0)),
                     .revents = 0};
        const int count = left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(left.count())) : 0;
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            log::error("storage", "the database server is silent; its connection is given up");
            silent_ = true;
            return nullptr;
        }
        if (PQconsumeInput(server) != 1) return nullptr;
    }
}

bool PostgresConnection::take_notices(const std::function<void(std::string_view)>& fn) {
    if (is_lost() || PQconsumeInput(connection_.get()) != 1) return false;
    struct Free {
        void operator()(PGnotify* notice) const { PQfreemem(notice); }
    };
    while (const auto notice = std::unique_ptr<PGnotify, Free>(PQnotifies(connection_.get()))) {
        fn(notice->extra);
    }
    return true;
}

int PostgresConnection::descriptor() const {
    return PQsocket(connection_.get());
}

Result<std::string> PostgresConnection::prepared(std::string_view sql, int values) {
    if (const auto found = prepared_.find(std::string(sql)); found != prepared_.end()) {
        return found->second;
    }
    if (prepared_.size() >= kPreparedMax) {
        HEDDLE_TRY_VOID(order("DEALLOCATE ALL"));
        prepared_.clear();
    }
    std::string name = "s" + std::to_string(prepared_.size());
    const int sent = PQsendPrepare(connection_.get(), name.c_str(),
                                   with_numbered_values(sql).c_str(), values, nullptr);
    HEDDLE_TRY_VOID(check(answer(sent, patience_).get(), sql));
    prepared_.emplace(sql, name);
    return name;
}

Result<> PostgresConnection::check(const pg_result* result, std::string_view sql) const {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
        return {};
    }
    return fail(error(result, sql));
}

Result<std::int64_t> PostgresConnection::run(std::string_view sql, std::span<const Bind> values,
                                             const RowFunction& each) {
    const Parameters parameters(values);
    HEDDLE_TRY(const std::string name, prepared(sql, parameters.count()));
    const int sent =
        PQsendQueryPrepared(connection_.get(), name.c_str(), parameters.count(),
                            parameters.values(), parameters.lengths(), parameters.formats(), 0);
    const Answer got = answer(sent, patience_);
    HEDDLE_TRY_VOID(check(got.get(), sql));
    if (each) {
        for (int row = 0; row < PQntuples(got.get()); ++row) each(PostgresRow(got.get(), row));
    }
    const bool reads = std::string_view(PQcmdStatus(got.get())).starts_with("SELECT");
    return reads ? 0 : rows_changed(got.get());
}

Result<> PostgresConnection::order(const std::string& sql) {
    return check(answer(PQsendQuery(connection_.get(), sql.c_str()), patience_).get(), sql);
}

Result<> PostgresConnection::script(const std::string& sql) {
    const auto patience = kScriptPatience * patience_;
    return check(answer(PQsendQuery(connection_.get(), sql.c_str()), patience).get(), sql);
}

// SQLSTATE classes: PostgreSQL documentation, appendix A.
Error PostgresConnection::error(const pg_result* result, std::string_view sql) const {
    const char* field = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const std::string_view state = field ? field : "";
    if (state.starts_with("23")) {
        const std::string reason = state == "23505"   ? "unique"
                                   : state == "23503" ? "foreign_key"
                                                      : "constraint";
        return Error(ErrorCode::kConflict, "this already exists or breaks a rule of the data")
            .with_reason(reason);
    }
    if (state == "40001" || state == "40P01") {
        return Error(ErrorCode::kUnavailable, "the database is busy; try again")
            .with_reason(std::string(kGaveWay))
            .with_retry_after(1);
    }
    const char* detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
    log::error("storage", "a statement failed",
               {{"state", state}, {"detail", detail ? detail : "lost"}, {"statement", sql}});
    if (state.starts_with("22")) {
        return {ErrorCode::kInvalidArgument, "a value cannot be stored"};
    }
    if (state.empty() || state.starts_with("08") || state.starts_with("57")) {
        return Error(ErrorCode::kUnavailable, "the database server cannot be reached")
            .with_retry_after(1);
    }
    if (state.starts_with("40") || state.starts_with("55")) {
        return Error(ErrorCode::kUnavailable, "the database is busy; try again")
            .with_retry_after(1);
    }
    if (state.starts_with("53")) {
        return {ErrorCode::kIo, "the database server is out of space or connections"};
    }
    if (state.starts_with("XX")) return {ErrorCode::kCorrupt, "the database is damaged"};
    return {ErrorCode::kInternal, "the database refused a statement"};
}

}  // namespace heddle::storage
