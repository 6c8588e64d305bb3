// The exact dense index: int8 codes of every vector in blocks, scanned from end to end.
//
// One writer changes it and publishes views; readers hold a view, which never changes. Vectors
// are appended to blocks that views share (a view knows how many rows of each it may read), a
// deletion copies one block's bitmap of live rows. So a search never waits for a writer, and sees
// all of a change or nothing of it.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace heddle::search {

struct DenseHit {
    std::int64_t chunk = 0;
    float score = 0;  // cosine, from the codes: right to about 0.01
};

class FlatIndex {
public:
    static constexpr std::size_t kBlockRows = 1024;

    class View {
    public:
        [[nodiscard]] std::uint64_t version() const { return version_; }
        [[nodiscard]] std::size_t size() const { return live_; }
        // The `count` nearest of unit-length vectors, best first; of these documents only when
        // given (sorted).
        [[nodiscard]] std::vector<DenseHit> nearest(
            std::span<const float> query, std::size_t count,
            const std::vector<std::int64_t>* documents) const;

    private:
        friend class FlatIndex;
        struct Block;
        using Live = std::bitset<kBlockRows>;
        struct Part {
            std::shared_ptr<Block> block;
            std::shared_ptr<const Live> live;
            std::size_t rows = 0;
        };

        std::size_t dimensions_ = 0;
        std::uint64_t version_ = 0;
        std::size_t live_ = 0;
        std::vector<Part> parts_;  // chunk ids rise through them
    };

    explicit FlatIndex(std::size_t dimensions);

    [[nodiscard]] std::size_t dimensions() const { return next_.dimensions_; }

    // Of the writer, one thread at a time; seen by readers after publish(). Chunk ids rise.
    void add(std::int64_t chunk, std::int64_t document, std::span<const float> vector);
    // Chunks that are not there are ignored.
    void remove(std::span<const std::int64_t> chunks);
    void publish(std::uint64_t version);

    // Any thread.
    [[nodiscard]] std::shared_ptr<const View> view() const;

private:
    using Part = View::Part;
    void remove_one(std::int64_t chunk);
    void merge_sparse_parts();
    [[nodiscard]] Part merged(const Part& a, const Part& b) const;
    [[nodiscard]] std::shared_ptr<View::Block> new_block() const;

    View next_;
    bool removed_ = false;
    mutable std::mutex mutex_;
    std::shared_ptr<const View> published_;  // guarded by mutex_
};

}  // namespace heddle::search
