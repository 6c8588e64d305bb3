#include "storage/file.h"

#include <algorithm>

#include "base/ids.h"

namespace heddle::storage {

bool is_plain_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    };
    return !name.empty() && name.size() <= 128 && name.front() != '.' &&
           std::ranges::all_of(name, allowed);
}

Result<> replace_file(Folder& folder, std::string_view name, std::span<const std::byte> bytes) {
    const std::string temporary = new_id() + ".tmp";
    const auto write = [&]() -> Result<> {
        HEDDLE_TRY(const auto file, folder.create(temporary));
        HEDDLE_TRY_VOID(file->write_at(0, bytes));
        HEDDLE_TRY_VOID(file->sync());
        HEDDLE_TRY_VOID(folder.rename(temporary, name));
        return folder.sync();
    };
    Result<> written = write();
    if (!written) (void)folder.remove(temporary);
    return written;
}

Result<std::vector<std::byte>> read_file(Folder& folder, std::string_view name,
                                         std::uint64_t size_max) {
    HEDDLE_TRY(const auto file, folder.open(name));
    HEDDLE_TRY(const auto size, file->size());
    if (size > size_max) return fail(ErrorCode::kTooLarge, "the file is larger than expected");
    std::vector<std::byte> bytes(size);
    HEDDLE_TRY(const auto got, file->read_at(0, bytes));
    bytes.resize(got);
    return bytes;
}

}  // namespace heddle::storage
