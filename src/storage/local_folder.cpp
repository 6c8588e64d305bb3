#include "storage/local_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/log.h"
#include "storage/unique_fd.h"

namespace heddle::storage {
namespace {

Error error_of(int number, std::string_view what) {
    switch (number) {
        case ENOENT:
            return {ErrorCode::kNotFound, "there is no such file"};
        case EEXIST:
            return {ErrorCode::kConflict, "the file exists already"};
        case ENOSPC:
        case EDQUOT:
            return Error(ErrorCode::kIo, "no space is left on the disk").with_reason("disk_full");
        default:
            log::error("storage", "a file operation failed",
                       {{"operation", what}, {"error", std::generic_category().message(number)}});
            return {ErrorCode::kIo, "a file could not be read or written"};
    }
}

class LocalFile final : public File {
public:
    explicit LocalFile(UniqueFd fd) : fd_(std::move(fd)) {}

    Result<> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const ssize_t n =
                ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return fail(error_of(errno, "write"));
            bytes = bytes.subspan(static_cast<std::size_t>(n));
            offset += static_cast<std::uint64_t>(n);
        }
        return {};
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                      static_cast<off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return fail(error_of(errno, "read"));
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }
    [[nodiscard]] Result<std::uint64_t> size() const override {
        struct stat info{};
        if (::fstat(fd_.get(), &info) != 0) return fail(error_of(errno, "stat"));
        return static_cast<std::uint64_t>(info.st_size);
    }
    Result<> truncate(std::uint64_t size) override {
        if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
            return fail(error_of(errno, "truncate"));
        }
        return {};
    }
    Result<> sync() override {
        // A failed fsync may have dropped the pages (LWN 752063): never tried twice.
        if (::fdatasync(fd_.get()) != 0) return fail(error_of(errno, "fsync"));
        return {};
    }
    [[nodiscard]] int descriptor() const override { return fd_.get(); }

private:
    UniqueFd fd_;
};

class LocalFolder final : public Folder {
public:
    explicit LocalFolder(UniqueFd fd) : fd_(std::move(fd)) {}

    Result<std::unique_ptr<File>> create(std::string_view name) override {
        return open_beneath(name, O_RDWR | O_CREAT | O_EXCL);
    }
    Result<std::unique_ptr<File>> open(std::string_view name) override {
        return open_beneath(name, O_RDWR);
    }
    Result<> rename(std::string_view from, std::string_view to) override {
        HEDDLE_TRY_VOID(check(from));
        HEDDLE_TRY_VOID(check(to));
        const std::string source(from);
        const std::string target(to);
        if (::renameat(fd_.get(), source.c_str(), fd_.get(), target.c_str()) != 0) {
            return fail(error_of(errno, "rename"));
        }
        return {};
    }
    Result<> remove(std::string_view name) override {
        HEDDLE_TRY_VOID(check(name));
        if (::unlinkat(fd_.get(), std::string(name).c_str(), 0) != 0) {
            return fail(error_of(errno, "remove"));
        }
        return {};
    }
    [[nodiscard]] Result<std::vector<std::string>> list() const override {
        const int copy = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0) return fail(error_of(errno, "list"));
        DIR* stream = ::fdopendir(copy);
        if (stream == nullptr) {
            ::close(copy);
            return fail(error_of(errno, "list"));
        }
        std::vector<std::string> names;
        while (const dirent* entry = ::readdir(stream)) {
            if (is_plain_name(entry->d_name)) names.emplace_back(entry->d_name);
        }
        ::closedir(stream);
        return names;
    }
    Result<> sync() override {
        if (::fsync(fd_.get()) != 0) return fail(error_of(errno, "fsync"));
        return {};
    }

private:
    static Result<> check(std::string_view name) {
        if (is_plain_name(name)) return {};
        return fail(ErrorCode::kInvalidArgument, "this is not a name of a stored file");
    }

    Result<std::unique_ptr<File>> open_beneath(std::string_view name, int flags) {
        HEDDLE_TRY_VOID(check(name));
        const std::string path(name);
        open_how how{};
        how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
        how.mode = (flags & O_CREAT) != 0 ? 0600 : 0;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        long fd = ::syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof how);
        if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
            // Old container walls do not know the call. A plain name has no folder to escape by.
            fd = ::openat(fd_.get(), path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
        }
        if (fd < 0) return fail(error_of(errno, "open"));
        return std::make_unique<LocalFile>(UniqueFd(static_cast<int>(fd)));
    }

    UniqueFd fd_;
};

}  // namespace

Result<std::unique_ptr<Folder>> open_local_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail(error_of(errno, "make folder"));
    }
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return fail(error_of(errno, "open folder"));
    return std::make_unique<LocalFolder>(std::move(fd));
}

}  // namespace heddle::storage
