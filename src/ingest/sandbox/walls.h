// The walls around the parser process, raised by the process itself, in this order: descriptors
// closed, resource limits, no core dumps and death with the parent, own namespaces, Landlock
// (nothing can be opened), no new privileges, seccomp (a short allow-list, else death).
//
// Linux only. In builds with a sanitizer the kernel's walls are left out (its runtime needs what
// they forbid); the limits of time and output stay. Called in a single-threaded process.
#pragma once

#include <cstdint>
#include <string>

namespace heddle::ingest::sandbox {

enum class Wall : std::uint32_t {
    kDescriptors = 1U << 0,
    kLimits = 1U << 1,
    kNamespaces = 1U << 2,
    kLandlock = 1U << 3,
    kNoNewPrivileges = 1U << 4,
    kSeccomp = 1U << 5,
};

[[nodiscard]] constexpr bool has(std::uint32_t walls, Wall wall) {
    return (walls & static_cast<std::uint32_t>(wall)) != 0;
}

// "limits, landlock, seccomp", for the log.
[[nodiscard]] std::string describe_walls(std::uint32_t walls);

// First half, before any library is opened. Returns the walls that stand.
[[nodiscard]] std::uint32_t raise_limits(std::uint64_t memory_bytes, std::uint32_t cpu_seconds);

// Second half, before the first foreign byte is looked at: from here on nothing can be opened,
// connected, started or made executable. Returns the walls that stand; a wall that the kernel
// does not offer is left out and its bit not set.
[[nodiscard]] std::uint32_t raise_walls();

}  // namespace heddle::ingest::sandbox
