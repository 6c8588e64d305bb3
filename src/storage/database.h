// The database of a Heddle: rows of every room, behind one writer and a few readers.
//
//   Result<int> n = co_await db.write(fn);   // fn(Transaction&) -> Result<int>
//   Result<int> n = co_await db.read(fn);    // fn(Session&) -> Result<int>
//
// A write is durable (fsynced) when the await returns.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "storage/migrations.h"
#include "storage/reader_pool.h"
#include "storage/session.h"
#include "storage/writer.h"

namespace heddle::storage {

class PostgresListener;

struct DatabaseOptions {
    // A file of SQLite, created when absent, or the postgres:// URL of a server.
    std::string location;
    std::size_t readers = 2;
    // Reads and writes waiting beyond these are refused with kUnavailable.
    std::size_t write_queue_max = 16'384;
    std::size_t read_queue_max = 4096;
    // A server that is silent for longer has gone; its connection is closed and made anew.
    std::chrono::milliseconds patience{20'000};
};

// Thread-safe. Destroyed before the runtime whose coroutines use it.
class Database {
public:
    static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options,
                                                  const Clock& clock = Clock::system(),
                                                  Metrics& metrics = Metrics::none());
    // Ends after everything accepted has been written.
    ~Database();

    // Runs fn on the writer thread. Nothing that fn wrote lasts when it fails or throws (the
    // exception comes out here). Once accepted it cannot be cancelled: the await lasts until the
    // commit, so fn may refer to the caller's frame. Name a capturing lambda before the co_await.
    template <class Fn>
    async::Task<std::invoke_result_t<Fn&, Transaction&>> write(Fn fn) {
        const auto work = std::make_shared<impl::FunctionWork<Transaction, Fn>>(std::move(fn));
        co_await wait_for_write(work);
        co_return work->take();
    }

    // Runs fn on a reader thread, on a snapshot of the committed state.
    template <class Fn>
    async::Task<std::invoke_result_t<Fn&, Session&>> read(Fn fn) {
        const auto work = std::make_shared<impl::FunctionWork<Session, Fn>>(std::move(fn));
        co_await wait_for_read(work);
        co_return work->take();
    }

    // The same for plain threads: start-up, commands, workers, tests.
    template <class Fn>
    std::invoke_result_t<Fn&, Transaction&> write_blocking(Fn fn) {
        const auto work = std::make_shared<impl::FunctionWork<Transaction, Fn>>(std::move(fn));
        write_and_block(work);
        return work->take();
    }
    template <class Fn>
    std::invoke_result_t<Fn&, Session&> read_blocking(Fn fn) {
        const auto work = std::make_shared<impl::FunctionWork<Session, Fn>>(std::move(fn));
        read_and_block(work);
        return work->take();
    }

    // Calls fn with every line that a transaction of another process gave to tell_others, and with
    // an empty one when some may have been missed. On a thread of its own, which fn must not
    // block. SQLite has one process only, which needs no news. Every call costs a connection;
    // before any work.
    Result<> on_news(std::function<void(std::string_view)> fn);

    // Brings a room's tables to the version of its last step (storage/migrations.h).
    Result<> migrate(const Schema& schema);

    // Reads every page; for `doctor` and after an unclean end. kCorrupt when it finds damage.
    Result<> check_blocking();

    // Writes a compacted copy of the committed state to a new file (backup). SQLite only.
    Result<> copy_to_blocking(const std::string& path);

    [[nodiscard]] Dialect dialect() const { return dialect_; }
    [[nodiscard]] const Clock& clock() const { return clock_; }

private:
    Database(const DatabaseOptions& options, std::unique_ptr<Connection> writer,
             std::vector<std::unique_ptr<Connection>> readers, const Clock& clock,
             Metrics& metrics);

    async::Task<> wait_for_write(Writer::Work work);
    async::Task<> wait_for_read(ReaderPool::Work work);
    void write_and_block(const Writer::Work& work);
    void read_and_block(const ReaderPool::Work& work);

    const Clock& clock_;
    const std::string location_;
    const std::string origin_;
    const std::chrono::milliseconds patience_;
    const Dialect dialect_;
    ReaderPool readers_;
    Writer writer_;
    std::vector<std::unique_ptr<PostgresListener>> listeners_;
};

}  // namespace heddle::storage
