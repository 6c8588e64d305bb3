#include "fetch/browser_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "storage/unique_fd.h"

namespace heddle::fetch {
namespace {

namespace asio = boost::asio;
using storage::UniqueFd;

constexpr std::size_t kMessageBytesMax = 32U << 20;
constexpr std::size_t kReadBytes = 64U << 10;
constexpr int kBrowserReads = 3;
constexpr int kBrowserWrites = 4;

Error not_started(const char* what) {
    return Error(ErrorCode::kUnavailable, std::string("the browser did not start: ") + what)
        .with_reason("not_rendered");
}

std::string make_profile() {
    std::error_code ec;
    std::string name = (std::filesystem::temp_directory_path(ec) / "heddle-page-XXXXXX").string();
    return mkdtemp(name.data()) == nullptr ? std::string() : name;
}

void remove_profile(const std::string& profile) {
    std::error_code ec;
    std::filesystem::remove_all(profile, ec);
}

// A pipe whose ends are both above the descriptors that the browser uses.
struct Pipe {
    UniqueFd read;
    UniqueFd write;
};
Result<Pipe> make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(not_started("no pipe"));
    const UniqueFd read(ends[0]);
    const UniqueFd write(ends[1]);
    Pipe pipe{UniqueFd(fcntl(read.get(), F_DUPFD_CLOEXEC, kBrowserWrites + 1)),
              UniqueFd(fcntl(write.get(), F_DUPFD_CLOEXEC, kBrowserWrites + 1))};
    if (pipe.read.get() < 0 || pipe.write.get() < 0) return fail(not_started("no pipe"));
    return pipe;
}

// The group of its own lets the browser be ended with all of its children.
Result<pid_t> spawn(const BrowserProcess::Command& command, const std::string& profile,
                    const Pipe& to_browser, const Pipe& from_browser) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, to_browser.read.get(), kBrowserReads);
    posix_spawn_file_actions_adddup2(&actions, from_browser.write.get(), kBrowserWrites);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<std::string> words = {command.executable};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    words.push_back("--user-data-dir=" + profile);
    words.emplace_back("about:blank");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    // Its home is the profile: nothing of the user's is read.
    std::string home = "HOME=" + profile;
    std::string path = "PATH=/usr/bin:/bin";
    std::array<char*, 3> environment = {home.data(), path.data(), nullptr};
    pid_t process = 0;
    const int failed = posix_spawn(&process, command.executable.c_str(), &actions, &attributes,
                                   argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) return fail(not_started("it cannot be run"));
    return process;
}

}  // namespace

Result<BrowserProcess::Started> BrowserProcess::start_blocking(const Command& command) {
    HEDDLE_TRY(Pipe to_browser, make_pipe());
    HEDDLE_TRY(Pipe from_browser, make_pipe());
    const std::string profile = make_profile();
    if (profile.empty()) return fail(not_started("no folder for its profile"));
    const Result<pid_t> process = spawn(command, profile, to_browser, from_browser);
    if (!process) {
        remove_profile(profile);
        return fail(process.error());
    }
    return Started{.input = to_browser.write.release(),
                   .output = from_browser.read.release(),
                   .process = *process,
                   .profile = profile};
}

BrowserProcess::BrowserProcess(async::Executor executor, async::WorkerPool& workers,
                               Started started)
    : workers_(workers),
      input_(executor, started.input),
      output_(executor, started.output),
      process_(started.process),
      profile_(std::move(started.profile)) {}

BrowserProcess::~BrowserProcess() {
    kill(-process_, SIGKILL);
    asio::post(workers_.executor(), [process = process_, profile = std::move(profile_)] {
        while (waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
        }
        remove_profile(profile);
    });
}

async::Task<Result<>> BrowserProcess::send(std::string json) {
    json += '\0';
    const auto [ec, bytes] =
        co_await asio::async_write(input_, asio::buffer(json), asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
    if (ec) co_return fail(not_started("it has ended"));
    co_return Result<>();
}

async::Task<Result<std::string>> BrowserProcess::receive() {
    std::size_t looked = 0;
    for (;;) {
        const std::size_t end = pending_.find('\0', looked);
        if (end != std::string::npos) {
            std::string message = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            co_return message;
        }
        looked = pending_.size();
        if (looked > kMessageBytesMax) co_return fail(not_started("it says too much"));
        pending_.resize(looked + kReadBytes);
        const auto [ec, bytes] =
            co_await output_.async_read_some(asio::buffer(pending_.data() + looked, kReadBytes),
                                             asio::as_tuple(asio::use_awaitable));
        pending_.resize(looked + (ec ? 0 : bytes));
        if (ec == asio::error::operation_aborted) throw boost::system::system_error(ec);
        if (ec) co_return fail(not_started("it has ended"));
    }
}

}  // namespace heddle::fetch
