#include "storage/blob_store.h"

#include <utility>

#include "base/check.h"
#include "base/ids.h"

namespace heddle::storage {
namespace {

constexpr std::string_view kUnfinished = ".tmp";

std::string unfinished(std::string_view id) {
    return std::string(id) + std::string(kUnfinished);
}

}  // namespace

BlobWriter::BlobWriter(std::shared_ptr<Folder> folder, async::WorkerPool& pool, std::string id,
                       std::unique_ptr<File> file, std::uint64_t size_max)
    : folder_(std::move(folder)),
      pool_(&pool),
      id_(std::move(id)),
      file_(std::move(file)),
      size_max_(size_max) {}

BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;

BlobWriter::~BlobWriter() {
    if (file_) (void)folder_->remove(unfinished(id_));
}

async::Task<Result<>> BlobWriter::write(std::string bytes) {
    const auto fn = [this, &bytes] { return write_blocking(std::as_bytes(std::span(bytes))); };
    co_return co_await async::offload(*pool_, fn);
}

Result<> BlobWriter::write_blocking(std::span<const std::byte> bytes) {
    HEDDLE_CHECK(file_ != nullptr, "nothing is written after the commit");
    if (bytes.size() > size_max_ - size_) {
        return fail(ErrorCode::kTooLarge, "the file is larger than allowed");
    }
    HEDDLE_TRY_VOID(file_->write_at(size_, bytes));
    hash_.update(bytes);
    size_ += bytes.size();
    return {};
}

async::Task<Result<BlobInfo>> BlobWriter::commit() {
    const auto fn = [this] { return commit_blocking(); };
    co_return co_await async::offload(*pool_, fn);
}

Result<BlobInfo> BlobWriter::commit_blocking() {
    HEDDLE_CHECK(file_ != nullptr, "a blob is committed once");
    HEDDLE_TRY_VOID(file_->sync());
    HEDDLE_TRY_VOID(folder_->rename(unfinished(id_), id_));
    file_.reset();
    HEDDLE_TRY_VOID(folder_->sync());
    return BlobInfo{.id = id_, .size = size_, .sha256 = hash_.hex()};
}

async::Task<Result<std::string>> Blob::read(std::uint64_t offset, std::size_t most) const {
    const auto fn = [this, offset, most] { return read_blocking(offset, most); };
    co_return co_await async::offload(*pool_, fn);
}

Result<std::string> Blob::read_blocking(std::uint64_t offset, std::size_t most) const {
    if (offset >= size_) return std::string();
    std::string bytes(std::min<std::uint64_t>(most, size_ - offset), '\0');
    HEDDLE_TRY(const auto got, file_->read_at(offset, std::as_writable_bytes(std::span(bytes))));
    bytes.resize(got);
    return bytes;
}

async::Task<Result<BlobWriter>> BlobStore::create(std::uint64_t size_max) {
    const auto fn = [this, size_max] { return create_blocking(size_max); };
    co_return co_await async::offload(*pool_, fn);
}

Result<BlobWriter> BlobStore::create_blocking(std::uint64_t size_max) {
    std::string id = new_id();
    HEDDLE_TRY(auto file, folder_->create(unfinished(id)));
    return BlobWriter(folder_, *pool_, std::move(id), std::move(file), size_max);
}

async::Task<Result<Blob>> BlobStore::open(std::string id) const {
    const auto fn = [this, &id] { return open_blocking(id); };
    co_return co_await async::offload(*pool_, fn);
}

Result<Blob> BlobStore::open_blocking(std::string_view id) const {
    if (!is_id(id)) return fail(ErrorCode::kNotFound, "there is no such file");
    HEDDLE_TRY(auto file, folder_->open(id));
    HEDDLE_TRY(const auto size, file->size());
    return Blob(*pool_, std::move(file), size);
}

async::Task<Result<>> BlobStore::remove(std::string id) {
    const auto fn = [this, &id] { return remove_blocking(id); };
    co_return co_await async::offload(*pool_, fn);
}

Result<> BlobStore::remove_blocking(std::string_view id) {
    if (!is_id(id)) return {};
    const Result<> removed = folder_->remove(id);
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
    return folder_->sync();
}

Result<std::size_t> BlobStore::sweep_blocking(const std::function<bool(std::string_view)>& wanted) {
    HEDDLE_TRY(const auto names, folder_->list());
    std::size_t removed = 0;
    for (const std::string& name : names) {
        const bool temporary = name.ends_with(kUnfinished);
        if (!temporary && (!is_id(name) || wanted(name))) continue;
        HEDDLE_TRY_VOID(folder_->remove(name));
        ++removed;
    }
    if (removed > 0) HEDDLE_TRY_VOID(folder_->sync());
    return removed;
}

}  // namespace heddle::storage
