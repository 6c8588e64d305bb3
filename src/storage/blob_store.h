// Uploads and results as files named by ids of ours: streamed in, hashed, and visible under their
// id only when complete and on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "async/offload.h"
#include "async/task.h"
#include "base/result.h"
#include "storage/file.h"
#include "storage/sha256.h"

namespace heddle::storage {

struct BlobInfo {
    std::string id;
    std::uint64_t size = 0;
    std::string sha256;  // 64 hexadecimal digits
};

// A blob being written. Dropped unfinished it leaves nothing behind. One call at a time.
class BlobWriter {
public:
    BlobWriter(std::shared_ptr<Folder> folder, async::WorkerPool& pool, std::string id,
               std::unique_ptr<File> file, std::uint64_t size_max);
    ~BlobWriter();
    BlobWriter(BlobWriter&&) noexcept;
    BlobWriter& operator=(BlobWriter&&) = delete;

    // kTooLarge past the limit given at the start, kIo.
    async::Task<Result<>> write(std::string bytes);
    Result<> write_blocking(std::span<const std::byte> bytes);

    // fsync, rename, fsync of the folder: then the blob exists and survives power loss.
    async::Task<Result<BlobInfo>> commit();
    Result<BlobInfo> commit_blocking();

    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    std::shared_ptr<Folder> folder_;
    async::WorkerPool* pool_;
    std::string id_;
    std::unique_ptr<File> file_;
    std::uint64_t size_max_;
    std::uint64_t size_ = 0;
    Sha256 hash_;
};

// A blob being read. Calls may overlap.
class Blob {
public:
    Blob(async::WorkerPool& pool, std::unique_ptr<File> file, std::uint64_t size)
        : pool_(&pool), file_(std::move(file)), size_(size) {}

    [[nodiscard]] std::uint64_t size() const { return size_; }
    // Up to `most` bytes from `offset`; empty at the end.
    async::Task<Result<std::string>> read(std::uint64_t offset, std::size_t most) const;
    Result<std::string> read_blocking(std::uint64_t offset, std::size_t most) const;
    // For handing to a child process; owned by the blob.
    [[nodiscard]] int descriptor() const { return file_->descriptor(); }

private:
    async::WorkerPool* pool_;
    std::shared_ptr<const File> file_;
    std::uint64_t size_;
};

// Thread-safe. File operations run on the pool, which outlives the store.
class BlobStore {
public:
    BlobStore(std::shared_ptr<Folder> folder, async::WorkerPool& pool)
        : folder_(std::move(folder)), pool_(&pool) {}

    async::Task<Result<BlobWriter>> create(std::uint64_t size_max);
    Result<BlobWriter> create_blocking(std::uint64_t size_max);

    // kNotFound for an id that is not there or is none.
    async::Task<Result<Blob>> open(std::string id) const;
    Result<Blob> open_blocking(std::string_view id) const;

    // Removing what is not there is no error.
    async::Task<Result<>> remove(std::string id);
    Result<> remove_blocking(std::string_view id);

    // Removes unfinished blobs and those of which `wanted(id)` is false; the number removed. To
    // be called at start, before anything writes.
    Result<std::size_t> sweep_blocking(const std::function<bool(std::string_view)>& wanted);

private:
    std::shared_ptr<Folder> folder_;
    async::WorkerPool* pool_;
};

}  // namespace heddle::storage
