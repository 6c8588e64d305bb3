#include "storage/postgres_listener.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "base/log.h"
#include "storage/postgres_connection.h"
#include "storage/writer.h"

namespace heddle::storage {
namespace {

constexpr std::chrono::milliseconds kConnectAgain{500};
// A silent connection is asked for a sign of life this often.
constexpr std::chrono::milliseconds kAskAfter{10'000};

}  // namespace

Result<std::unique_ptr<PostgresListener>> PostgresListener::open(std::string url,
                                                                 std::string origin,
                                                                 std::chrono::milliseconds patience,
                                                                 OnNews fn) {
    UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (wake.get() < 0) return fail(ErrorCode::kIo, "too many files are open");
    return std::unique_ptr<PostgresListener>(new PostgresListener(
        std::move(url), std::move(origin), patience, std::move(fn), std::move(wake)));
}

PostgresListener::PostgresListener(std::string url, std::string origin,
                                   std::chrono::milliseconds patience, OnNews fn, UniqueFd wake)
    : url_(std::move(url)),
      origin_(std::move(origin)),
      patience_(patience),
      fn_(std::move(fn)),
      wake_(std::move(wake)),
      thread_([this] { loop(); }) {}

PostgresListener::~PostgresListener() {
    (void)!eventfd_write(wake_.get(), 1);
    thread_.join();
}

void PostgresListener::loop() {
    pthread_setname_np(pthread_self(), "db-news");
    while (!wait_for_end(std::chrono::milliseconds(0))) {
        hear();
        if (wait_for_end(kConnectAgain)) return;
    }
}

bool PostgresListener::wait_for_end(std::chrono::milliseconds time) const {
    pollfd end{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&end, 1, static_cast<int>(time.count())) > 0;
}

void PostgresListener::hear() {
    auto connection = PostgresConnection::open(url_, patience_);
    if (!connection || !(*connection)->script("LISTEN " + std::string(kNewsChannel))) return;
    fn_("");
    for (;;) {
        pollfd ready[2] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                           {.fd = (*connection)->descriptor(), .events = POLLIN, .revents = 0}};
        const int count = ::poll(ready, 2, static_cast<int>(kAskAfter.count()));
        if (count < 0 && errno != EINTR) return;
        if (ready[0].revents != 0) return;
        if (count == 0 && !(*connection)->script("SELECT 1")) return;
        const auto hand = [this](std::string_view message) { hand_on(message); };
        if (!(*connection)->take_notices(hand)) {
            log::warn("storage", "the connection for news was lost");
            return;
        }
    }
}

void PostgresListener::hand_on(std::string_view message) const {
    const std::size_t origin_end = message.find('\n');
    if (origin_end == std::string_view::npos || message.substr(0, origin_end) == origin_) return;
    message.remove_prefix(origin_end + 1);
    while (!message.empty()) {
        const std::size_t end = std::min(message.find('\n'), message.size());
        if (end > 0) fn_(message.substr(0, end));
        message.remove_prefix(std::min(end + 1, message.size()));
    }
}

}  // namespace heddle::storage
