// Files and folders as the project needs them, narrow enough to be replaced by ones that fail and
// lose what was not synced (storage/memory_folder.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::storage {

// Every call blocks. One thread at a time, but reads of several threads may overlap. Errors: kIo
// (reason "disk_full" when that is it).
class File {
public:
    virtual ~File() = default;
    // All of it, or an error; the file grows as needed.
    virtual Result<> write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
    // Fewer bytes than asked for only at the end of the file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
    [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
    virtual Result<> truncate(std::uint64_t size) = 0;
    // What was written lasts when this returns.
    virtual Result<> sync() = 0;
    // For mapping and for handing to a child process; -1 where there is none.
    [[nodiscard]] virtual int descriptor() const = 0;
};

// Files of one folder, by plain names of ours: letters, digits, '.', '-' and '_', not starting
// with a dot. Nothing outside the folder is ever reached. Thread-safe; every call blocks.
// Errors: kNotFound, kConflict (create: exists), kIo, kInvalidArgument (name).
class Folder {
public:
    virtual ~Folder() = default;
    // A new file, to be written and read.
    virtual Result<std::unique_ptr<File>> create(std::string_view name) = 0;
    virtual Result<std::unique_ptr<File>> open(std::string_view name) = 0;
    // Replaces `to` in one step.
    virtual Result<> rename(std::string_view from, std::string_view to) = 0;
    virtual Result<> remove(std::string_view name) = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> list() const = 0;
    // Creations, renames and removals last when this returns.
    virtual Result<> sync() = 0;
};

[[nodiscard]] bool is_plain_name(std::string_view name);

// Writes a whole file so that after a crash there is the old or the new one, never a part.
Result<> replace_file(Folder& folder, std::string_view name, std::span<const std::byte> bytes);

// A whole file of at most `size_max` bytes; kTooLarge beyond.
[[nodiscard]] Result<std::vector<std::byte>> read_file(Folder& folder, std::string_view name,
                                                       std::uint64_t size_max);

}  // namespace heddle::storage
