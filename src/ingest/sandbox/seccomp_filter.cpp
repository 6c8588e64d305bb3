#include "ingest/sandbox/seccomp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace heddle::ingest::sandbox {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

constexpr std::uint32_t kAllowed[] = {
    SYS_read,         SYS_write,       SYS_readv,           SYS_writev,       SYS_munmap,
    SYS_mremap,       SYS_brk,         SYS_madvise,         SYS_futex,        SYS_clock_gettime,
    SYS_getrandom,    SYS_exit,        SYS_exit_group,      SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_sched_yield,  SYS_getpid,
    SYS_gettid,       SYS_close,
#ifdef SYS_gettimeofday
    SYS_gettimeofday,
#endif
#ifdef SYS_time
    SYS_time,
#endif
};

// Asked for by libraries that manage without an answer.
constexpr std::uint32_t kRefused[] = {
    SYS_openat,    SYS_newfstatat, SYS_fstat,      SYS_statx,
    SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_ioctl,
    SYS_fcntl,     SYS_lseek,      SYS_sysinfo,    SYS_uname,
    SYS_prlimit64, SYS_getcwd,     SYS_getrusage,  SYS_sched_getaffinity,
#if defined(__x86_64__)
    SYS_open,      SYS_stat,       SYS_lstat,      SYS_access,
    SYS_readlink,
#endif
};

// Loads a 32-bit half of the data that the kernel hands to the filter.
sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t action) {
    return BPF_STMT(BPF_RET | BPF_K, action);
}
sock_filter skip_unless(std::uint32_t value, std::uint8_t instructions) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, instructions);
}

// Little-endian halves of argument `index`; both supported architectures are little-endian.
constexpr std::size_t argument_low(std::size_t index) {
    return offsetof(seccomp_data, args) + index * sizeof(std::uint64_t);
}

// For mmap and mprotect: allowed unless the third argument asks for execution.
void allow_without_exec(std::vector<sock_filter>& program, std::uint32_t number) {
    program.push_back(skip_unless(number, 4));
    program.push_back(load(argument_low(2)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
    program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
    program.push_back(answer(SECCOMP_RET_ALLOW));
}

// abort() signals itself; no other process may be signalled.
void allow_signal_to_itself(std::vector<sock_filter>& program) {
    program.push_back(skip_unless(SYS_tgkill, 4));
    program.push_back(load(argument_low(0)));
    program.push_back(skip_unless(static_cast<std::uint32_t>(getpid()), 1));
    program.push_back(answer(SECCOMP_RET_ALLOW));
    program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
}

std::vector<sock_filter> filter_program() {
    std::vector<sock_filter> program;
    program.push_back(load(offsetof(seccomp_data, arch)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
    program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
    program.push_back(load(offsetof(seccomp_data, nr)));
    // The numbers of the x32 interface share the architecture and carry bit 30.
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1));
    program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
    for (const std::uint32_t number : kAllowed) {
        program.push_back(skip_unless(number, 1));
        program.push_back(answer(SECCOMP_RET_ALLOW));
    }
    for (const std::uint32_t number : kRefused) {
        program.push_back(skip_unless(number, 1));
        program.push_back(answer(SECCOMP_RET_ERRNO | EPERM));
    }
    allow_without_exec(program, SYS_mmap);
    allow_without_exec(program, SYS_mprotect);
    allow_signal_to_itself(program);
    program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
    return program;
}

}  // namespace

bool install_seccomp_filter() {
    if (kArchitecture == 0) return false;
    std::vector<sock_filter> program = filter_program();
    const sock_fprog handle{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &handle, 0, 0) == 0;
}

}  // namespace heddle::ingest::sandbox
