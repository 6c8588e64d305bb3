// An answer that is being written and who follows it. It does not depend on any reader: one that
// loses its connection comes back and says which event it has seen last.
//
// Events are numbered from 1. The newest are held in a ring; a reader that is further behind gets
// all of the text so far in one piece (a restart) and goes on from there.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/waiter.h"
#include "jobs/broadcast.h"
#include "service/answerer.h"
#include "service/kept_conversation.h"

namespace heddle::service {

struct NumberedEvent {
    std::uint64_t number = 0;
    AnswerEvent event;
};

// What a reader gets at once.
struct RunBatch {
    // Everything up to event `number`, in place of events that are no longer held.
    struct Restart {
        std::uint64_t number = 0;
        std::vector<Source> sources;
        std::string text;
    };
    std::optional<Restart> restart;
    std::vector<NumberedEvent> events;

    [[nodiscard]] bool empty() const { return !restart && events.empty(); }
};

struct RunLimits {
    std::size_t events_held = 4096;
    std::size_t text_bytes_max = std::size_t{4} << 20;
};

// Thread-safe; shared by the writer and its readers.
class AnswerRun : public std::enable_shared_from_this<AnswerRun> {
public:
    AnswerRun(std::string owner, std::string conversation, std::string message, RunLimits limits)
        : owner_(std::move(owner)),
          conversation_(std::move(conversation)),
          message_(std::move(message)),
          limits_(limits) {}

    // False when the text has become too long: the writer then ends.
    bool append(AnswerEvent event);
    // Nothing will follow.
    void end();
    [[nodiscard]] bool ended() const;
    // When it ended; meaningful after that.
    [[nodiscard]] std::chrono::steady_clock::time_point ended_at() const;

    // Asks the writer to stop and keeps why; the first reason counts.
    void request_stop(MessageState becomes);
    [[nodiscard]] std::optional<MessageState> stop_requested() const;
    // For the writer alone: resumes when it should stop.
    async::Task<> wait_for_stop() { return stop_.wait(); }

    [[nodiscard]] const std::string& owner() const { return owner_; }
    [[nodiscard]] const std::string& conversation() const { return conversation_; }
    [[nodiscard]] const std::string& message() const { return message_; }

    // Used by one coroutine at a time.
    class Reader {
    public:
        Reader(std::shared_ptr<const AnswerRun> run, std::uint64_t seen);
        // What has come since; empty when the run has ended and all was given.
        async::Task<RunBatch> next();

    private:
        const std::shared_ptr<const AnswerRun> run_;
        const std::unique_ptr<jobs::Broadcast::Subscription> changes_;
        std::uint64_t seen_;
    };
    // `seen`: the number of the last event that the reader has, 0 for none.
    [[nodiscard]] std::unique_ptr<Reader> read_after(std::uint64_t seen) const {
        return std::make_unique<Reader>(shared_from_this(), seen);
    }

private:
    [[nodiscard]] RunBatch batch_after(std::uint64_t seen, bool& ended) const;

    const std::string owner_;
    const std::string conversation_;
    const std::string message_;
    const RunLimits limits_;
    const std::shared_ptr<jobs::Broadcast> changes_ = std::make_shared<jobs::Broadcast>();
    async::Waiter stop_;

    mutable std::mutex mutex_;
    std::deque<NumberedEvent> events_;  // guarded by mutex_, as all below
    std::uint64_t last_ = 0;            // number of the newest event
    std::vector<Source> sources_;
    std::string text_;
    std::optional<MessageState> stop_reason_;
    std::optional<std::chrono::steady_clock::time_point> ended_at_;
};

}  // namespace heddle::service
