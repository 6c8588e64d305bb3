// The parser process of the tests: the real entry point, with one more format whose reader tries
// to get out. The file names what it tries ("EVIL socket").
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "ingest/sandbox/parser_main.h"

namespace heddle::ingest {
namespace {

struct Escape {
    std::string_view name;
    // Returns when it was merely refused.
    void (*attempt)();
};

void spin() {
    for (volatile std::uint64_t i = 0;; i = i + 1) {
    }
}

void flood() {
    const std::string bytes(1 << 20, 'x');
    while (write(1, bytes.data(), bytes.size()) > 0) {
    }
}

void allocate() {
    std::vector<std::string> hoard;
    for (;;) hoard.emplace_back(64U << 20, 'x');
}

void make_executable() {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

void execute() {
    char path[] = "/bin/true";
    char* arguments[] = {path, nullptr};
    execv(path, arguments);
}

constexpr Escape kEscapes[] = {
    {"open", [] { open("/etc/passwd", O_RDONLY); }},
    {"create", [] { open("/tmp/heddle-escape", O_WRONLY | O_CREAT, 0600); }},
    {"write-fd", [] { (void)!write(3, "x", 1); }},
    {"socket", [] { socket(AF_INET, SOCK_STREAM, 0); }},
    {"fork", [] { syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
    {"exec", execute},
    {"ptrace", [] { ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr); }},
    {"kill", [] { kill(getppid(), SIGTERM); }},
    {"mprotect-exec", make_executable},
    {"mmap-exec", [] { mmap(nullptr, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
    {"x32", [] { syscall(0x40000000L + SYS_write, 1, "x", 1); }},
    {"write-input", [] { (void)!pwrite(0, "x", 1, 0); }},
    {"spin", spin},
    {"flood", flood},
    {"allocate", allocate},
    {"crash", [] { raise(SIGSEGV); }},
    {"abort", [] { abort(); }},
    {"lie", [] { (void)!write(1, "\xff\xff\xff\xff\x05", 5); }},
    {"hang-up",
     [] {
         close(1);
         spin();
     }},
    {"nothing", [] {}},
};

class EvilReader final : public FormatReader {
public:
    ReadOutcome read(std::string_view bytes, sandbox::RecordWriter& out) override {
        constexpr std::string_view kMark = "EVIL ";
        if (!bytes.starts_with(kMark)) return tl::unexpected(sandbox::Failure::kDamaged);
        for (const Escape& escape : kEscapes) {
            if (escape.name != bytes.substr(kMark.size())) continue;
            errno = 0;
            escape.attempt();
            out.title("survived with errno " + std::to_string(errno));
            return {};
        }
        return tl::unexpected(sandbox::Failure::kEmpty);
    }
};

int run(int argc, char** argv) {
    std::vector<Format> readers(formats().begin(), formats().end());
    readers.push_back({.name = "evil",
                       .content_type = "text/evil",
                       .other_types = {},
                       .extensions = {},
                       .recognises = [](std::string_view) { return true; },
                       .open = [](const ReaderOptions&) -> std::unique_ptr<FormatReader> {
                           return std::make_unique<EvilReader>();
                       }});
    return parser_main(argc, argv, readers);
}

}  // namespace
}  // namespace heddle::ingest

int main(int argc, char** argv) {
    return heddle::ingest::is_parser_command(argc, argv) ? heddle::ingest::run(argc, argv) : 2;
}
