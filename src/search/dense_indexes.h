// The dense index of every collection, kept in step with the committed rows: changes reach it in
// after_commit, on the writer thread, in the order of the commits, each with the version that the
// collection's row got. An index that has missed a change (another process made it) takes no
// more, and is read again from the rows when a search finds it behind.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "search/flat_index.h"
#include "storage/session.h"

namespace heddle::search {

// Vectors that a transaction has added to a collection, and chunks that it has removed.
struct DenseChange {
    struct Added {
        std::int64_t chunk = 0;
        std::int64_t document = 0;
        std::vector<float> vector;
    };
    std::int64_t collection = 0;
    std::uint64_t version = 0;
    std::vector<std::int64_t> removed;
    std::vector<Added> added;
};

// Thread-safe; create, remove and apply are called on the writer thread.
class DenseIndexes {
public:
    // Reads every vector of the store; before anything is written.
    Result<> load(storage::Session& session);

    // Reads the vectors of one collection anew.
    Result<> reload(storage::Session& session, std::int64_t collection, std::size_t dimensions,
                    std::uint64_t version);

    void create(std::int64_t collection, std::size_t dimensions);
    void remove(std::int64_t collection);
    void apply(const DenseChange& change);

    // Nothing for a collection that is not there.
    [[nodiscard]] std::shared_ptr<const FlatIndex::View> view(std::int64_t collection) const;

private:
    [[nodiscard]] std::shared_ptr<FlatIndex> find(std::int64_t collection) const;

    mutable std::mutex mutex_;
    std::map<std::int64_t, std::shared_ptr<FlatIndex>> indexes_;  // guarded by mutex_
};

// Vectors as they are stored: little-endian 32-bit floats.
[[nodiscard]] std::span<const std::byte> vector_bytes(std::span<const float> vector);
// Empty when the bytes are not `dimensions` floats.
[[nodiscard]] std::vector<float> vector_of(std::span<const std::byte> bytes,
                                           std::size_t dimensions);

}  // namespace heddle::search
