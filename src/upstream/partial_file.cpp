#include "upstream/partial_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace heddle::upstream {
namespace {

constexpr std::uint64_t kStateBytesMax = std::uint64_t{1} << 20;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

Result<> remove_if_there(storage::Folder& folder, const std::string& name) {
    auto removed = folder.remove(name);
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
    return {};
}

Result<bool> hash_fits(const storage::File& file, const HubFile& wanted,
                       const HashProgress& progress) {
    const bool large = !wanted.sha256.empty();
    HEDDLE_TRY(const std::string found,
               large ? sha256_of(file, progress) : git_sha1_of(file, progress));
    return found == (large ? wanted.sha256 : wanted.git_sha1);
}

}  // namespace

PartialFile::PartialFile(storage::Folder& folder, HubFile file, std::uint64_t segment_bytes)
    : folder_(folder),
      file_(std::move(file)),
      name_(name_of(file_.path)),
      segment_bytes_(segment_bytes),
      done_(static_cast<std::size_t>((file_.bytes + segment_bytes - 1) / segment_bytes)) {}

std::uint64_t PartialFile::begin_of(std::size_t segment) const {
    return segment * segment_bytes_;
}

std::uint64_t PartialFile::end_of(std::size_t segment) const {
    return std::min(file_.bytes, (segment + 1) * segment_bytes_);
}

std::uint64_t PartialFile::bytes_done() const {
    std::uint64_t bytes = 0;
    for (std::size_t s = 0; s < done_.size(); ++s)
        if (done_[s]) bytes += end_of(s) - begin_of(s);
    return bytes;
}

std::string PartialFile::identity() const {
    return fmt::format("{} {} {}\n", file_.sha256.empty() ? file_.git_sha1 : file_.sha256,
                       file_.bytes, segment_bytes_);
}

Result<std::unique_ptr<PartialFile>> PartialFile::open(storage::Folder& folder, HubFile file,
                                                       std::uint64_t segment_bytes) {
    std::unique_ptr<PartialFile> partial(new PartialFile(folder, std::move(file), segment_bytes));
    HEDDLE_TRY_VOID(partial->take_up());
    return partial;
}

// The state file: the identity of the content, then '#' for a whole segment and '.' for another.
Result<> PartialFile::take_up() {
    const std::string part = name_ + ".part";
    auto opened = folder_.open(part);
    const auto state = storage::read_file(folder_, name_ + ".parts", kStateBytesMax);
    if (opened && state) {
        const std::string_view text(reinterpret_cast<const char*>(state->data()), state->size());
        const std::string known = identity();
        HEDDLE_TRY(const std::uint64_t size, (*opened)->size());
        if (text.starts_with(known) && text.size() == known.size() + done_.size() &&
            size == file_.bytes) {
            for (std::size_t s = 0; s < done_.size(); ++s) done_[s] = text[known.size() + s] == '#';
            part_ = std::move(*opened);
            return {};
        }
    }
    HEDDLE_TRY_VOID(remove_if_there(folder_, name_ + ".parts"));
    HEDDLE_TRY_VOID(remove_if_there(folder_, part));
    HEDDLE_TRY(part_, folder_.create(part));
    return part_->truncate(file_.bytes);
}

Result<> PartialFile::write(std::uint64_t offset, std::string_view bytes) {
    return part_->write_at(offset, bytes_of(bytes));
}

std::string PartialFile::mark_done(std::size_t segment) {
    done_[segment] = true;
    std::string state = identity();
    for (const bool done : done_) state += done ? '#' : '.';
    return state;
}

Result<> PartialFile::keep(const std::string& state) {
    HEDDLE_TRY_VOID(part_->sync());
    return storage::replace_file(folder_, name_ + ".parts", bytes_of(state));
}

Result<> PartialFile::finish(const HashProgress& progress) {
    HEDDLE_TRY(const bool fits, hash_fits(*part_, file_, progress));
    HEDDLE_TRY_VOID(remove_if_there(folder_, name_ + ".parts"));
    if (!fits) {
        HEDDLE_TRY_VOID(folder_.remove(name_ + ".part"));
        return fail(Error(ErrorCode::kCorrupt,
                          fmt::format("{}: what arrived has not the hash that the hub promised; "
                                      "it was thrown away",
                                      file_.path))
                        .with_reason("hash_mismatch"));
    }
    HEDDLE_TRY_VOID(part_->sync());
    HEDDLE_TRY_VOID(folder_.rename(name_ + ".part", name_));
    return folder_.sync();
}

Result<bool> is_intact(storage::Folder& folder, const HubFile& file, const HashProgress& progress) {
    HEDDLE_TRY(const auto opened, folder.open(name_of(file.path)));
    HEDDLE_TRY(const std::uint64_t size, opened->size());
    if (size != file.bytes) return false;
    return hash_fits(*opened, file, progress);
}

}  // namespace heddle::upstream
