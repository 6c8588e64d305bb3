// A model file mapped read-only. StoredTensors are used where they lie in the page cache, so that a
// model costs no private memory and a second process shares it.
//
// Files are hostile: every access is a checked span. A file must not be changed while it is
// mapped (truncating one raises SIGBUS); `heddle pull` writes new files beside and renames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heddle::model {

// Immutable after open(); may be shared by threads.
class MappedFile {
public:
    // kNotFound, kIo, or kCorrupt when it is no regular file. Empty files are allowed.
    static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);

    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    // The file's own name, without its folder: what error messages may say.
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
    [[nodiscard]] std::string_view text() const {
        return {reinterpret_cast<const char*>(data_), size_};
    }
    [[nodiscard]] std::uint64_t size() const { return size_; }

    // Gives the pages back that reading has brought into this process; they stay in the page
    // cache and come again on use. For weights that a backend has copied.
    void drop_resident() const;

    // The `length` bytes at `offset`; kCorrupt "NAME: WHAT lies outside the file" otherwise.
    [[nodiscard]] Result<std::span<const std::byte>> at(std::uint64_t offset, std::uint64_t length,
                                                        std::string_view what) const;

private:
    MappedFile(std::string name, const std::byte* data, std::size_t size)
        : name_(std::move(name)), data_(data), size_(size) {}

    std::string name_;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

// Reads a small text file (a configuration, a tokenizer) whole; kTooLarge above `bytes_max`.
Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t bytes_max);

}  // namespace heddle::model
