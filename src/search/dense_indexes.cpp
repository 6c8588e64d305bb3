#include "search/dense_indexes.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace heddle::search {

static_assert(std::endian::native == std::endian::little, "vectors are stored as they lie");

std::span<const std::byte> vector_bytes(std::span<const float> vector) {
    return std::as_bytes(vector);
}

std::vector<float> vector_of(std::span<const std::byte> bytes, std::size_t dimensions) {
    if (bytes.size() != dimensions * sizeof(float)) return {};
    std::vector<float> vector(dimensions);
    std::memcpy(vector.data(), bytes.data(), bytes.size());
    return vector;
}

Result<> DenseIndexes::load(storage::Session& session) {
    struct Collection {
        std::int64_t id;
        std::size_t dimensions;
        std::uint64_t version;
    };
    const auto read = [](const storage::Row& row) {
        return Collection{row.integer(0), static_cast<std::size_t>(row.integer(1)),
                          static_cast<std::uint64_t>(row.integer(2))};
    };
    HEDDLE_TRY(const auto collections,
               session.select("SELECT id, dimensions, version FROM search_collections", read));
    for (const Collection& of : collections) {
        HEDDLE_TRY_VOID(reload(session, of.id, of.dimensions, of.version));
    }
    return {};
}

Result<> DenseIndexes::reload(storage::Session& session, std::int64_t collection,
                              std::size_t dimensions, std::uint64_t version) {
    const auto index = std::make_shared<FlatIndex>(dimensions);
    std::size_t damaged = 0;
    const auto add = [&](const storage::Row& row) {
        const auto vector = vector_of(row.blob(2), dimensions);
        if (vector.empty()) {
            ++damaged;
        } else {
            index->add(row.integer(0), row.integer(1), vector);
        }
    };
    HEDDLE_TRY_VOID(
        session.each("SELECT c.id, c.document, v.vector FROM search_chunks c "
                     "JOIN search_documents d ON d.id = c.document "
                     "JOIN search_vectors v ON v.chunk = c.id WHERE d.collection = ? ORDER BY c.id",
                     add, collection));
    if (damaged > 0) {
        log::error("search", "vectors of a wrong length were left out", {{"count", damaged}});
    }
    index->publish(version);
    const std::lock_guard lock(mutex_);
    indexes_.insert_or_assign(collection, index);
    return {};
}

void DenseIndexes::create(std::int64_t collection, std::size_t dimensions) {
    const std::lock_guard lock(mutex_);
    indexes_.insert_or_assign(collection, std::make_shared<FlatIndex>(dimensions));
}

void DenseIndexes::remove(std::int64_t collection) {
    const std::lock_guard lock(mutex_);
    indexes_.erase(collection);
}

void DenseIndexes::apply(const DenseChange& change) {
    const auto index = find(change.collection);
    if (!index || index->view()->version() + 1 != change.version) return;
    index->remove(change.removed);
    for (const auto& added : change.added) index->add(added.chunk, added.document, added.vector);
    index->publish(change.version);
}

std::shared_ptr<FlatIndex> DenseIndexes::find(std::int64_t collection) const {
    const std::lock_guard lock(mutex_);
    const auto found = indexes_.find(collection);
    return found == indexes_.end() ? nullptr : found->second;
}

std::shared_ptr<const FlatIndex::View> DenseIndexes::view(std::int64_t collection) const {
    const auto index = find(collection);
    return index ? index->view() : nullptr;
}

}  // namespace heddle::search
