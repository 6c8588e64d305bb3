// The parser's system calls: memory, time, its two open descriptors and its own end. Opening and
// asking about files fails with EPERM (fonts are looked for and done without); all else kills the
// process. Written as classic BPF by hand: forty instructions, and no library to link.
#pragma once

namespace heddle::ingest::sandbox {

// Needs no_new_privs. False when the kernel or the architecture offers no seccomp filter.
[[nodiscard]] bool install_seccomp_filter();

}  // namespace heddle::ingest::sandbox
