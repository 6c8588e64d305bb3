// A Chromium with its DevTools pipe: messages are JSON texts, each ended by a zero byte, written to
// its descriptor 3 and read from its descriptor 4.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"

namespace heddle::fetch {

// Lives on one executor. Destroyed, it takes its whole process group and its profile with it.
class BrowserProcess {
public:
    struct Command {
        std::string executable;
        std::vector<std::string> arguments;  // without the profile
    };
    struct Started;

    // Blocks until it has been started, in a profile folder of its own.
    [[nodiscard]] static Result<Started> start_blocking(const Command& command);

    BrowserProcess(async::Executor executor, async::WorkerPool& workers, Started started);
    ~BrowserProcess();
    BrowserProcess(const BrowserProcess&) = delete;
    BrowserProcess& operator=(const BrowserProcess&) = delete;

    async::Task<Result<>> send(std::string json);
    // The next message; an error when the browser has ended or a message is too long.
    async::Task<Result<std::string>> receive();

private:
    async::WorkerPool& workers_;
    boost::asio::posix::stream_descriptor input_;
    boost::asio::posix::stream_descriptor output_;
    std::string pending_;
    int process_ = 0;
    std::string profile_;
};

struct BrowserProcess::Started {
    int input = -1;
    int output = -1;
    int process = 0;
    std::string profile;
};

}  // namespace heddle::fetch
