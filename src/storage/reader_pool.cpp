#include "storage/reader_pool.h"

#include <pthread.h>

namespace heddle::storage {

ReaderPool::ReaderPool(std::vector<std::unique_ptr<Connection>> connections, const Clock& clock,
                       std::size_t queue_max)
    : connections_(std::move(connections)), clock_(clock), queue_(queue_max) {
    for (const auto& connection : connections_) {
        threads_.emplace_back([this, &connection] { loop(*connection); });
    }
}

ReaderPool::~ReaderPool() {
    queue_.close();
    for (std::thread& thread : threads_) thread.join();
}

void ReaderPool::loop(Connection& connection) {
    pthread_setname_np(pthread_self(), "db-read");
    for (;;) {
        std::vector<Work> taken = queue_.take(1);
        if (taken.empty()) return;
        Work work = std::move(taken.front());
        if (const Result<> begun = connection.begin_read(); !begun) {
            work->fail(begun.error());
        } else {
            Session session(connection, clock_);
            work->run(session);
        }
        connection.rollback();
        impl::finish(std::move(work));
    }
}

}  // namespace heddle::storage
