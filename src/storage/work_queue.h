// Functions on their way to a database thread and their outcomes on the way back.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heddle::storage::impl {

// One function and its outcome. Run on a database thread, collected by the caller after done().
template <class Subject>
class Work {
public:
    virtual ~Work() = default;
    // False when the function failed or threw: what it wrote is to be undone.
    virtual bool run(Subject& subject) = 0;
    // Why, after run() was false; null when it threw.
    [[nodiscard]] virtual const Error* error() const = 0;
    // Replaces the outcome: the work did not take place, or did not last.
    virtual void fail(const Error& error) = 0;

    // Set by whoever waits; called once, on the database thread, when the outcome is final.
    std::function<void()> done;
};

template <class Subject>
using WorkPtr = std::shared_ptr<Work<Subject>>;

template <class Subject, class Fn>
class FunctionWork final : public Work<Subject> {
public:
    using Outcome = std::invoke_result_t<Fn&, Subject&>;

    explicit FunctionWork(Fn fn) : fn_(std::move(fn)) {}

    bool run(Subject& subject) override {
        thrown_ = nullptr;
        try {
            outcome_.emplace(fn_(subject));
            return outcome_->has_value();
        } catch (...) {
            thrown_ = std::current_exception();
            return false;
        }
    }
    [[nodiscard]] const Error* error() const override {
        return thrown_ || outcome_->has_value() ? nullptr : &outcome_->error();
    }
    void fail(const Error& error) override {
        thrown_ = nullptr;
        outcome_.emplace(heddle::fail(error));
    }
    [[nodiscard]] Outcome take() {
        if (thrown_) std::rethrow_exception(thrown_);
        return std::move(*outcome_);
    }

private:
    Fn fn_;
    std::optional<Outcome> outcome_;
    std::exception_ptr thrown_;
};

// Bounded and closable. Any thread pushes; database threads take.
template <class Subject>
class WorkQueue {
public:
    explicit WorkQueue(std::size_t capacity) : capacity_(capacity) {}

    // False when full or closed.
    [[nodiscard]] bool push(WorkPtr<Subject> work) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_ || items_.size() >= capacity_) return false;
            items_.push_back(std::move(work));
        }
        ready_.notify_one();
        return true;
    }

    // Waits for work and takes up to `most`; empty when closed and drained.
    [[nodiscard]] std::vector<WorkPtr<Subject>> take(std::size_t most) {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return closed_ || !items_.empty(); });
        std::vector<WorkPtr<Subject>> taken;
        while (!items_.empty() && taken.size() < most) {
            taken.push_back(std::move(items_.front()));
            items_.pop_front();
        }
        return taken;
    }

    // What is queued is still served; new work is refused.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        ready_.notify_all();
    }

    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return items_.size();
    }

private:
    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<WorkPtr<Subject>> items_;  // guarded by mutex_
    bool closed_ = false;                 // guarded by mutex_
};

// Hands the outcome to whoever waits. The caller's captures die with the caller, not here.
template <class Subject>
void finish(WorkPtr<Subject> work) {
    const std::function<void()> done = std::move(work->done);
    work.reset();
    done();
}

}  // namespace heddle::storage::impl
