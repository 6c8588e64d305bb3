#include "ingest/sandbox/walls.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "ingest/sandbox/seccomp_filter.h"

namespace heddle::ingest::sandbox {
namespace {

constexpr std::uint32_t bit(Wall wall) {
    return static_cast<std::uint32_t>(wall);
}

#ifdef HEDDLE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

bool close_inherited() {
    return syscall(SYS_close_range, 3U, ~0U, 0U) == 0;
}

bool limit(decltype(RLIMIT_AS) what, rlim_t soft, rlim_t hard) {
    const rlimit value{.rlim_cur = soft, .rlim_max = hard};
    return setrlimit(what, &value) == 0;
}

bool set_limits(std::uint64_t memory_bytes, std::uint32_t cpu_seconds) {
    // A sanitizer reserves terabytes of addresses for its shadow.
    bool all = kSanitized || limit(RLIMIT_AS, memory_bytes, memory_bytes);
    all &= limit(RLIMIT_CPU, cpu_seconds, cpu_seconds + 1);
    all &= limit(RLIMIT_NOFILE, 16, 16);
    all &= limit(RLIMIT_FSIZE, 0, 0);
    all &= limit(RLIMIT_NPROC, 0, 0);
    all &= limit(RLIMIT_CORE, 0, 0);
    all &= limit(RLIMIT_STACK, 8U << 20, 8U << 20);
    all &= prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    all &= prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
    return all;
}

// What this machine's header may not name yet. Values: include/uapi/linux/landlock.h.
struct LandlockRules {
    std::uint64_t handled_access_fs = 0;
    std::uint64_t handled_access_net = 0;
    std::uint64_t scoped = 0;
};
constexpr std::uint64_t kNetBindAndConnect = 0b11;
constexpr std::uint64_t kScopeAbstractSocketsAndSignals = 0b11;

// Rights over files that each version of Landlock's interface knows: 13, then REFER, TRUNCATE,
// and from the fifth IOCTL_DEV.
std::uint64_t landlock_file_rights(long abi) {
    if (abi >= 5) return (1ULL << 16) - 1;
    if (abi >= 3) return (1ULL << 15) - 1;
    if (abi == 2) return (1ULL << 14) - 1;
    return (1ULL << 13) - 1;
}

// Handles every right and adds no rule: nothing may be opened at all.
bool raise_landlock() {
    const long abi =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return false;
    LandlockRules rules;
    rules.handled_access_fs = landlock_file_rights(abi);
    std::size_t size = sizeof(rules.handled_access_fs);
    if (abi >= 4) {
        rules.handled_access_net = kNetBindAndConnect;
        size += sizeof(rules.handled_access_net);
    }
    if (abi >= 6) {
        rules.scoped = kScopeAbstractSocketsAndSignals;
        size += sizeof(rules.scoped);
    }
    const long ruleset = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return false;
    const bool done = syscall(SYS_landlock_restrict_self, static_cast<int>(ruleset), 0) == 0;
    close(static_cast<int>(ruleset));
    return done;
}

}  // namespace

std::string describe_walls(std::uint32_t walls) {
    static constexpr std::pair<Wall, const char*> kNames[] = {
        {Wall::kDescriptors, "descriptors"},
        {Wall::kLimits, "limits"},
        {Wall::kNamespaces, "namespaces"},
        {Wall::kLandlock, "landlock"},
        {Wall::kNoNewPrivileges, "no-new-privileges"},
        {Wall::kSeccomp, "seccomp"},
    };
    std::string text;
    for (const auto& [wall, name] : kNames) {
        if (!has(walls, wall)) continue;
        if (!text.empty()) text += ", ";
        text += name;
    }
    return text.empty() ? "none" : text;
}

std::uint32_t raise_limits(std::uint64_t memory_bytes, std::uint32_t cpu_seconds) {
    std::uint32_t walls = 0;
    if (close_inherited()) walls |= bit(Wall::kDescriptors);
    if (set_limits(memory_bytes, cpu_seconds)) walls |= bit(Wall::kLimits);
    return walls;
}

std::uint32_t raise_walls() {
    if (kSanitized) return 0;
    std::uint32_t walls = 0;
    // Refused inside many containers; the other walls do not depend on it.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS |
                CLONE_NEWUTS) == 0)
        walls |= bit(Wall::kNamespaces);
    // Landlock and seccomp both ask for it where the caller has no privileges.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) walls |= bit(Wall::kNoNewPrivileges);
    if (raise_landlock()) walls |= bit(Wall::kLandlock);
    if (install_seccomp_filter()) walls |= bit(Wall::kSeccomp);
    return walls;
}

}  // namespace heddle::ingest::sandbox
