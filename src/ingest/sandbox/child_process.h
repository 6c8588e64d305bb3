// A parser process as the server sees it: started with one sealed file and one pipe, watched
// through its pidfd, killed when the object goes.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/runtime.h"
#include "async/task.h"
#include "base/result.h"
#include "storage/unique_fd.h"

namespace heddle::ingest::sandbox {

// A copy in memory that nobody can change any more, from the start of `file`. kTooLarge past
// `bytes_max`. Blocks.
[[nodiscard]] Result<storage::UniqueFd> seal_file_blocking(int file, std::uint64_t bytes_max);
[[nodiscard]] Result<storage::UniqueFd> seal_bytes_blocking(std::string_view bytes);

struct ExitStatus {
    bool signalled = false;
    int code = 0;  // exit status, or the signal
};

// Lives on the executor given; the pool starts and reaps the process.
class ChildProcess {
public:
    struct Started {
        storage::UniqueFd output;  // reading end of its standard output
        storage::UniqueFd pidfd;
    };

    // The child has `input` as descriptor 0, the pipe as 1, nothing as 2, and of an environment
    // only what tunes its allocator. Blocks until it has been started.
    [[nodiscard]] static Result<Started> start_blocking(const std::string& executable,
                                                        const std::vector<std::string>& arguments,
                                                        int input);

    ChildProcess(async::Executor executor, async::WorkerPool& pool, Started started);
    // Kills it; a worker reaps it.
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // The next bytes of its output; empty at the end.
    async::Task<std::string> read();
    // Resumes when the process has ended.
    async::Task<ExitStatus> wait();
    void kill();

private:
    async::WorkerPool& pool_;
    async::asio::posix::stream_descriptor output_;
    async::asio::posix::stream_descriptor pidfd_;
    std::string buffer_;
    bool reaped_ = false;
};

}  // namespace heddle::ingest::sandbox
