#include "service/answer_run.h"

#include <utility>

namespace heddle::service {

bool AnswerRun::append(AnswerEvent event) {
    bool fits = true;
    {
        const std::lock_guard lock(mutex_);
        if (const auto* sources = std::get_if<SourcesEvent>(&event)) sources_ = sources->sources;
        if (const auto* delta = std::get_if<DeltaEvent>(&event)) {
            fits = text_.size() + delta->text.size() <= limits_.text_bytes_max;
            if (fits) text_ += delta->text;
        }
        if (fits) events_.push_back({++last_, std::move(event)});
        if (events_.size() > limits_.events_held) events_.pop_front();
    }
    changes_->publish(message_);
    return fits;
}

void AnswerRun::end() {
    {
        const std::lock_guard lock(mutex_);
        if (!ended_at_) ended_at_ = std::chrono::steady_clock::now();
    }
    changes_->publish(message_);
}

bool AnswerRun::ended() const {
    const std::lock_guard lock(mutex_);
    return ended_at_.has_value();
}

std::chrono::steady_clock::time_point AnswerRun::ended_at() const {
    const std::lock_guard lock(mutex_);
    return ended_at_.value_or(std::chrono::steady_clock::time_point::max());
}

void AnswerRun::request_stop(MessageState becomes) {
    {
        const std::lock_guard lock(mutex_);
        if (!stop_reason_) stop_reason_ = becomes;
    }
    stop_.notify();
}

std::optional<MessageState> AnswerRun::stop_requested() const {
    const std::lock_guard lock(mutex_);
    return stop_reason_;
}

RunBatch AnswerRun::batch_after(std::uint64_t seen, bool& ended) const {
    RunBatch batch;
    const std::lock_guard lock(mutex_);
    ended = ended_at_.has_value();
    if (seen > last_) seen = 0;  // a number of another run
    const std::uint64_t oldest = events_.empty() ? last_ + 1 : events_.front().number;
    if (seen + 1 < oldest) {
        batch.restart = RunBatch::Restart{last_, sources_, text_};
        // What ends an answer is told as itself, the rest is in the text.
        for (const NumberedEvent& held : events_) {
            const bool told = std::holds_alternative<SourcesEvent>(held.event) ||
                              std::holds_alternative<DeltaEvent>(held.event);
            if (!told) batch.events.push_back(held);
        }
        return batch;
    }
    const std::uint64_t skip = seen + 1 - oldest;
    for (auto held = events_.begin() + static_cast<std::ptrdiff_t>(skip); held != events_.end();
         ++held) {
        batch.events.push_back(*held);
    }
    return batch;
}

AnswerRun::Reader::Reader(std::shared_ptr<const AnswerRun> run, std::uint64_t seen)
    : run_(std::move(run)), changes_(run_->changes_->subscribe(run_->message_)), seen_(seen) {}

async::Task<RunBatch> AnswerRun::Reader::next() {
    for (;;) {
        bool ended = false;
        RunBatch batch = run_->batch_after(seen_, ended);
        if (batch.restart) seen_ = batch.restart->number;
        if (!batch.events.empty()) seen_ = std::max(seen_, batch.events.back().number);
        if (!batch.empty() || ended) co_return batch;
        co_await changes_->changed();
    }
}

}  // namespace heddle::service
