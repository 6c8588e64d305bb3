#include "storage/database.h"

#include <future>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/ids.h"
#include "storage/postgres_connection.h"
#include "storage/postgres_listener.h"
#include "storage/sqlite_connection.h"

namespace heddle::storage {
namespace {

namespace asio = boost::asio;
using Handler = asio::any_completion_handler<void()>;

const Error& too_busy() {
    static const Error error =
        Error(ErrorCode::kUnavailable, "the database has too much to do; try again")
            .with_retry_after(1);
    return error;
}

// Refused work is finished here, with an error.
template <class Queue, class Work>
void hand_over(Queue& queue, const Work& work) {
    if (queue.push(work)) return;
    work->fail(too_busy());
    impl::finish(work);
}

// The caller resumes on its own executor, from whichever thread finishes the work. The handler's
// cancellation slot is left alone on purpose: the work may refer to the caller's frame.
template <class Queue, class Work>
async::Task<> hand_over_and_wait(Queue& queue, Work work) {
    const async::Executor home = co_await asio::this_coro::executor;
    const auto initiate = [](auto handler, Queue* to, Work what, async::Executor executor) {
        auto waiting = std::make_shared<Handler>(std::move(handler));
        what->done = [waiting = std::move(waiting), executor = std::move(executor)] {
            asio::post(executor, [waiting] { std::move (*waiting)(); });
        };
        hand_over(*to, what);
    };
    co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
        initiate, asio::use_awaitable, &queue, std::move(work), home);
}

template <class Queue, class Work>
void hand_over_and_block(Queue& queue, const Work& work) {
    std::promise<void> finished;
    work->done = [&finished] { finished.set_value(); };
    hand_over(queue, work);
    finished.get_future().wait();
}

Result<std::unique_ptr<Connection>> connect(const std::string& location,
                                            SqliteConnection::Access access,
                                            std::chrono::milliseconds patience) {
    if (is_postgres_url(location)) return PostgresConnection::open(location, patience);
    return SqliteConnection::open(location, access);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options, const Clock& clock,
                                                 Metrics& metrics) {
    using Access = SqliteConnection::Access;
    HEDDLE_TRY(auto writer, connect(options.location, Access::kWrite, options.patience));
    std::vector<std::unique_ptr<Connection>> readers;
    for (std::size_t i = 0; i < options.readers; ++i) {
        HEDDLE_TRY(auto reader, connect(options.location, Access::kRead, options.patience));
        readers.push_back(std::move(reader));
    }
    return std::unique_ptr<Database>(
        new Database(options, std::move(writer), std::move(readers), clock, metrics));
}

Database::Database(const DatabaseOptions& options, std::unique_ptr<Connection> writer,
                   std::vector<std::unique_ptr<Connection>> readers, const Clock& clock,
                   Metrics& metrics)
    : clock_(clock),
      location_(options.location),
      origin_(new_id()),
      patience_(options.patience),
      dialect_(writer->dialect()),
      readers_(std::move(readers), clock, options.read_queue_max),
      writer_(std::move(writer), clock, metrics, options.write_queue_max, origin_) {}

Database::~Database() = default;

Result<> Database::on_news(std::function<void(std::string_view)> fn) {
    if (dialect_ != Dialect::kPostgres) return {};
    HEDDLE_TRY(auto listener, PostgresListener::open(location_, origin_, patience_, std::move(fn)));
    listeners_.push_back(std::move(listener));
    return {};
}

async::Task<> Database::wait_for_write(Writer::Work work) {
    co_await hand_over_and_wait(writer_, std::move(work));
}

async::Task<> Database::wait_for_read(ReaderPool::Work work) {
    co_await hand_over_and_wait(readers_, std::move(work));
}

void Database::write_and_block(const Writer::Work& work) {
    hand_over_and_block(writer_, work);
}

void Database::read_and_block(const ReaderPool::Work& work) {
    hand_over_and_block(readers_, work);
}

Result<> Database::migrate(const Schema& schema) {
    const auto apply = [&schema](Transaction& tx) { return apply_schema(tx, schema); };
    return write_blocking(apply);
}

Result<> Database::check_blocking() {
    const auto check = [](Session& session) -> Result<> {
        if (session.dialect() != Dialect::kSqlite) return {};
        const auto read = [](const Row& row) { return row.string(0); };
        HEDDLE_TRY(const auto found, session.select("PRAGMA integrity_check(1)", read));
        if (found.size() == 1 && found.front() == "ok") return {};
        return fail(ErrorCode::kCorrupt, "the database is damaged; restore a backup");
    };
    return read_blocking(check);
}

Result<> Database::copy_to_blocking(const std::string& path) {
    if (dialect_ != Dialect::kSqlite) {
        return fail(ErrorCode::kUnimplemented, "back this store up with the server's own tools");
    }
    HEDDLE_TRY(auto connection,
               SqliteConnection::open(location_, SqliteConnection::Access::kWrite));
    const Bind target(path);
    HEDDLE_TRY_VOID(connection->run("VACUUM INTO ?", {&target, 1}, nullptr));
    return {};
}

}  // namespace heddle::storage
