// A transport with deadlines and one writer at a time. Instead of a timer for each operation a
// connection is looked at four times a second (tick), which costs an idle one nothing and a busy
// one a store.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "async/semaphore.h"
#include "async/task.h"
#include "base/clock.h"
#include "http/transport.h"

namespace heddle::http {

// Lives on its transport's executor.
class TimedStream {
public:
    TimedStream(std::unique_ptr<Transport> transport, std::chrono::milliseconds write_stall);

    // ec is asio::error::timed_out when the deadline has passed.
    async::Task<IoOutcome> read_some(std::span<char> out, SteadyTime deadline);

    // All pieces, in slices that must each leave within the stall timeout. Waits for other writers
    // of this stream. Throws system_error: timed_out, or that the peer has gone.
    async::Task<> write(Pieces pieces);

    // Ends what is overdue.
    void tick(SteadyTime now);

    [[nodiscard]] bool is_writing() const { return writing_; }
    // When bytes last left or, before that, when the stream was made.
    [[nodiscard]] SteadyTime last_write() const { return last_write_; }
    [[nodiscard]] SteadyTime last_read() const { return last_read_; }
    [[nodiscard]] Transport& transport() { return *transport_; }

private:
    async::Task<> write_slice(Pieces pieces);

    std::unique_ptr<Transport> transport_;
    std::chrono::milliseconds write_stall_;
    std::shared_ptr<async::Semaphore> write_lock_ = async::Semaphore::create(1);
    SteadyTime read_deadline_ = SteadyTime::max();
    SteadyTime write_deadline_ = SteadyTime::max();
    SteadyTime last_write_;
    SteadyTime last_read_;
    bool timed_out_ = false;
    bool writing_ = false;
};

}  // namespace heddle::http
