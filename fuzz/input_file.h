// The bytes of one run as a mapped file, for readers that take one.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "model/mapped_file.h"

namespace heddle::fuzz {

// One anonymous file for the whole process, rewritten for each run.
inline std::shared_ptr<const model::MappedFile> map_input(const std::uint8_t* data,
                                                          std::size_t size) {
    static const int fd = ::memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(size)) != 0 ||
        ::pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) {
        std::abort();
    }
    auto file = model::MappedFile::open("/proc/self/fd/" + std::to_string(fd));
    if (!file) std::abort();
    return *file;
}

}  // namespace heddle::fuzz
