// The two hashes by which a model hub names the content of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "storage/file.h"

namespace heddle::upstream {

// Called with the bytes that were read since the last call; false ends the reading.
using HashProgress = std::function<bool(std::uint64_t bytes)>;

// In hexadecimal, of the whole file. Blocks. kCancelled when `progress` said so.
[[nodiscard]] Result<std::string> sha256_of(const storage::File& file,
                                            const HashProgress& progress = {});
// Git's name of a blob: the SHA-1 of "blob BYTES\0" and the content.
[[nodiscard]] Result<std::string> git_sha1_of(const storage::File& file,
                                              const HashProgress& progress = {});

}  // namespace heddle::upstream
