#include "ingest/sandbox/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace heddle::ingest::sandbox {
namespace {

namespace asio = async::asio;
using storage::UniqueFd;

constexpr std::size_t kReadBytes = 64U << 10;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

tl::unexpected<Error> io_failure(const char* what) {
    return fail(ErrorCode::kIo, std::string("a document could not be read: ") + what);
}

Result<UniqueFd> new_memory_file() {
    UniqueFd memory(memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (memory.get() < 0) return io_failure("no memory file");
    return memory;
}

Result<UniqueFd> seal(UniqueFd memory) {
    if (fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0) return io_failure("no seal");
    return memory;
}

// Descriptors 0, 1 and 2 of the child, described for posix_spawn.
class SpawnActions {
public:
    SpawnActions(int input, int output) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, input, 0);
        posix_spawn_file_actions_adddup2(&actions_, output, 1);
        posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    }
    ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

int open_pidfd(pid_t pid) {
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

// Waits for a process that has been killed or has ended.
ExitStatus reap_blocking(int pidfd) {
    siginfo_t info{};
    while (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) != 0 && errno == EINTR) {
    }
    return {.signalled = info.si_code != CLD_EXITED, .code = info.si_status};
}

}  // namespace

Result<UniqueFd> seal_file_blocking(int file, std::uint64_t bytes_max) {
    struct stat status{};
    if (fstat(file, &status) != 0) return io_failure("no file");
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes > bytes_max) return fail(ErrorCode::kTooLarge, "the file is too large to be read");
    HEDDLE_TRY(UniqueFd memory, new_memory_file());
    off_t offset = 0;
    while (static_cast<std::uint64_t>(offset) < bytes) {
        const ssize_t n =
            sendfile(memory.get(), file, &offset, bytes - static_cast<std::uint64_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return io_failure("it became shorter");
    }
    return seal(std::move(memory));
}

Result<UniqueFd> seal_bytes_blocking(std::string_view bytes) {
    HEDDLE_TRY(UniqueFd memory, new_memory_file());
    while (!bytes.empty()) {
        const ssize_t n = write(memory.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return io_failure("no memory");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return seal(std::move(memory));
}

Result<ChildProcess::Started> ChildProcess::start_blocking(
    const std::string& executable, const std::vector<std::string>& arguments, int input) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return io_failure("no pipe");
    UniqueFd output(ends[0]);
    const UniqueFd child_end(ends[1]);
    const SpawnActions actions(input, child_end.get());
    std::vector<char*> argv{const_cast<char*>(executable.c_str())};
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    // One document is read by one thread that allocates and frees without end: what is freed stays
    // at hand by its size instead of being merged and cut again, a tenth of the reading.
    char allocator[] =
        "GLIBC_TUNABLES=glibc.malloc.tcache_count=60000:glibc.malloc.tcache_max=65536";
    char* environment[] = {allocator, nullptr};
    pid_t pid = 0;
    if (posix_spawn(&pid, executable.c_str(), actions.get(), nullptr, argv.data(), environment) !=
        0)
        return io_failure("its reader could not be started");
    UniqueFd pidfd(open_pidfd(pid));
    if (pidfd.get() < 0) {
        ::kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        return io_failure("its reader cannot be watched");
    }
    return Started{.output = std::move(output), .pidfd = std::move(pidfd)};
}

ChildProcess::ChildProcess(async::Executor executor, async::WorkerPool& pool, Started started)
    : pool_(pool),
      output_(executor, started.output.release()),
      pidfd_(executor, started.pidfd.release()) {
    buffer_.resize(kReadBytes);
}

ChildProcess::~ChildProcess() {
    if (reaped_) return;
    kill();
    const int pidfd = pidfd_.release();
    asio::post(pool_.executor(), [pidfd] {
        reap_blocking(pidfd);
        close(pidfd);
    });
}

void ChildProcess::kill() {
    if (!reaped_) syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
}

async::Task<std::string> ChildProcess::read() {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto [ec, bytes] = co_await output_.async_read_some(asio::buffer(buffer_), token);
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    // The end of the pipe is reported as an error too.
    co_return buffer_.substr(0, ec ? 0 : bytes);
}

async::Task<ExitStatus> ChildProcess::wait() {
    co_await pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    const ExitStatus status = reap_blocking(pidfd_.native_handle());
    reaped_ = true;
    co_return status;
}

}  // namespace heddle::ingest::sandbox
