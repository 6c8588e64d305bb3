#include "async/runtime.h"

#include <pthread.h>

#include <string>

#include "base/check.h"

namespace heddle::async {

Runtime::Runtime(RuntimeOptions options) : workers_(options.worker_threads) {
    HEDDLE_CHECK(options.io_threads > 0, "a runtime needs an I/O thread");
    for (std::size_t i = 0; i < options.io_threads; ++i) {
        contexts_.push_back(std::make_unique<asio::io_context>(1));
        guards_.push_back(asio::make_work_guard(*contexts_.back()));
    }
    start();
}

Runtime::~Runtime() {
    stop();
}

asio::io_context& Runtime::next_io() {
    return *contexts_[next_.fetch_add(1, std::memory_order_relaxed) % contexts_.size()];
}

void Runtime::start() {
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
        threads_.emplace_back([this, i] {
            pthread_setname_np(pthread_self(), ("io-" + std::to_string(i)).c_str());
            contexts_[i]->run();
        });
    }
}

void Runtime::stop() {
    if (stopped_) return;
    stopped_ = true;
    // Workers first: what they finish is still delivered to the I/O threads.
    workers_.join();
    guards_.clear();
    for (auto& context : contexts_) context->stop();
    for (std::thread& thread : threads_) thread.join();
}

}  // namespace heddle::async
