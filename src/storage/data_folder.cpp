#include "storage/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/ids.h"
#include "storage/local_folder.h"

namespace heddle::storage {
namespace {

// The lock file holds the number of the process that has it, and nothing after an orderly end.
std::string holder(int fd) {
    std::array<char, 24> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    std::string digits(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    const std::size_t end = digits.find_first_not_of("0123456789");
    if (end != std::string::npos) digits.resize(end);
    return digits;
}

Result<std::string> instance_of(const std::string& path) {
    constexpr std::string_view kName = "instance";
    HEDDLE_TRY(const auto folder, open_local_folder(path));
    if (const auto file = folder->open(kName)) {
        std::string id(26, '\0');
        const auto read = (*file)->read_at(0, std::as_writable_bytes(std::span(id)));
        if (read && *read == id.size() && is_id(id)) return id;
    }
    std::string id = new_id();
    HEDDLE_TRY_VOID(replace_file(*folder, kName, std::as_bytes(std::span(id))));
    return id;
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::string& path) {
    std::error_code ec;
    if (std::filesystem::create_directories(path, ec)) {
        std::filesystem::permissions(path, std::filesystem::perms::owner_all, ec);
    }
    const std::string file = path + "/lock";
    UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0) {
        return fail(ErrorCode::kIo, "the data folder cannot be created or written: " +
                                        std::generic_category().message(errno));
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        const std::string pid = holder(fd.get());
        return fail(ErrorCode::kConflict, "the data folder is in use by process " +
                                              (pid.empty() ? std::string("unknown") : pid));
    }
    const bool crashed = !holder(fd.get()).empty();
    const std::string mine = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), mine.data(), mine.size(), 0) != static_cast<ssize_t>(mine.size())) {
        return fail(ErrorCode::kIo, "the data folder cannot be written");
    }
    HEDDLE_TRY(std::string instance, instance_of(path));
    return DataFolder(path, std::move(fd), crashed, std::move(instance));
}

DataFolder::~DataFolder() {
    // When it fails the next start only believes in a crash, which is safe.
    if (lock_.get() >= 0) (void)!::ftruncate(lock_.get(), 0);
}

Result<std::unique_ptr<Folder>> DataFolder::folder(std::string_view name) const {
    if (!is_plain_name(name)) {
        return fail(ErrorCode::kInvalidArgument, "this is not a name of a stored folder");
    }
    return open_local_folder(path_ + "/" + std::string(name));
}

}  // namespace heddle::storage
