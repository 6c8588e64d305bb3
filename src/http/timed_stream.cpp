#include "http/timed_stream.h"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace heddle::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kSliceBytes = std::size_t{256} << 10;

SteadyTime now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

TimedStream::TimedStream(std::unique_ptr<Transport> transport,
                         std::chrono::milliseconds write_stall)
    : transport_(std::move(transport)),
      write_stall_(write_stall),
      last_write_(now()),
      last_read_(last_write_) {}

async::Task<IoOutcome> TimedStream::read_some(std::span<char> out, SteadyTime deadline) {
    read_deadline_ = deadline;
    IoOutcome outcome = co_await transport_->read_some(out);
    read_deadline_ = SteadyTime::max();
    last_read_ = now();
    if (outcome.ec && timed_out_) outcome.ec = asio::error::timed_out;
    co_return outcome;
}

async::Task<> TimedStream::write(Pieces pieces) {
    async::Semaphore::Permit permit;
    if (!write_lock_->try_acquire(permit)) permit = co_await write_lock_->acquire();
    const std::size_t total = pieces[0].size() + pieces[1].size() + pieces[2].size();
    if (total <= kSliceBytes) {
        co_await write_slice(pieces);
        co_return;
    }
    for (std::string_view piece : pieces) {
        while (!piece.empty()) {
            const std::string_view slice = piece.substr(0, kSliceBytes);
            co_await write_slice({slice, {}, {}});
            piece.remove_prefix(slice.size());
        }
    }
}

async::Task<> TimedStream::write_slice(Pieces pieces) {
    struct Writing {
        TimedStream* stream;
        explicit Writing(TimedStream* s) : stream(s) { stream->writing_ = true; }
        ~Writing() {
            stream->writing_ = false;
            stream->write_deadline_ = SteadyTime::max();
        }
    };
    const Writing writing(this);
    write_deadline_ = now() + write_stall_;
    IoOutcome outcome = co_await transport_->write(pieces);
    last_write_ = now();
    if (outcome.ec && timed_out_) outcome.ec = asio::error::timed_out;
    if (outcome.ec) throw boost::system::system_error(outcome.ec);
}

void TimedStream::tick(SteadyTime time) {
    if (time < read_deadline_ && time < write_deadline_) return;
    timed_out_ = true;
    transport_->cancel();
}

}  // namespace heddle::http
