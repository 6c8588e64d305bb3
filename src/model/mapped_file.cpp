#include "model/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace heddle::model {
namespace {

class FileDescriptor {
public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

Error open_error(int code, const std::string& name) {
    if (code == ENOENT || code == ENOTDIR) {
        return {ErrorCode::kNotFound, fmt::format("{}: no such file", name)};
    }
    return {ErrorCode::kIo, fmt::format("{}: cannot be opened", name)};
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
    std::string name = path.filename().string();
    // O_NONBLOCK so that a named pipe is refused below instead of waited for.
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) return fail(open_error(errno, name));

    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0) {
        return fail(ErrorCode::kIo, fmt::format("{}: cannot be read", name));
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: is not a regular file", name));
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    const std::byte* data = nullptr;
    if (size > 0) {
        void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
        if (mapping == MAP_FAILED) {
            return fail(ErrorCode::kIo, fmt::format("{}: cannot be mapped", name));
        }
        data = static_cast<const std::byte*>(mapping);
    }
    return std::shared_ptr<const MappedFile>(new MappedFile(std::move(name), data, size));
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::drop_resident() const {
    if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

Result<std::span<const std::byte>> MappedFile::at(std::uint64_t offset, std::uint64_t length,
                                                  std::string_view what) const {
    if (offset > size_ || length > size_ - offset) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: {} lies outside the file", name_, what));
    }
    return bytes().subspan(offset, length);
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
    HEDDLE_TRY(const auto file, MappedFile::open(path));
    if (file->size() > bytes_max) {
        return fail(ErrorCode::kTooLarge,
                    fmt::format("{}: is larger than {} bytes", file->name(), bytes_max));
    }
    return std::string(file->text());
}

}  // namespace heddle::model
