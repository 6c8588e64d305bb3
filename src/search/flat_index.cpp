#include "search/flat_index.h"

#include <algorithm>
#include <new>
#include <queue>

#include "base/check.h"
#include "search/dot.h"
#include "search/quantize.h"

namespace heddle::search {
namespace {

// Codes on a 64-byte boundary, as the kernels want them.
struct FreeAligned {
    void operator()(std::int8_t* codes) const {
        ::operator delete[](codes, std::align_val_t(kCodeStride));
    }
};
using Codes = std::unique_ptr<std::int8_t[], FreeAligned>;

Codes new_codes(std::size_t count) {
    return Codes(static_cast<std::int8_t*>(::operator new[](count, std::align_val_t(kCodeStride))));
}

// Merging two parts that together fill this much of a block keeps room for the next deletion.
constexpr std::size_t kMergeRows = FlatIndex::kBlockRows * 3 / 4;

}  // namespace

struct FlatIndex::View::Block {
    explicit Block(std::size_t stride) : codes(new_codes(kBlockRows * stride)) {}
    Codes codes;
    std::array<float, kBlockRows> scale{};
    std::array<std::int64_t, kBlockRows> chunk{};
    std::array<std::int64_t, kBlockRows> document{};
};

namespace {

// Keeps the best `count` hits, the worst on top.
class BestHits {
public:
    explicit BestHits(std::size_t count) : count_(count) {}

    [[nodiscard]] bool takes(float score) const {
        return heap_.size() < count_ || score > heap_.top().score;
    }
    void add(DenseHit hit) {
        heap_.push(hit);
        if (heap_.size() > count_) heap_.pop();
    }
    [[nodiscard]] std::vector<DenseHit> sorted() && {
        std::vector<DenseHit> hits;
        for (; !heap_.empty(); heap_.pop()) hits.push_back(heap_.top());
        std::ranges::reverse(hits);
        return hits;
    }

private:
    struct Worse {
        bool operator()(const DenseHit& a, const DenseHit& b) const {
            return a.score != b.score ? a.score > b.score : a.chunk < b.chunk;
        }
    };
    std::size_t count_;
    std::priority_queue<DenseHit, std::vector<DenseHit>, Worse> heap_;
};

}  // namespace

std::vector<DenseHit> FlatIndex::View::nearest(std::span<const float> query, std::size_t count,
                                               const std::vector<std::int64_t>* documents) const {
    HEDDLE_CHECK(query.size() == dimensions_, "a query of the collection's dimension");
    if (count == 0 || parts_.empty()) return {};
    const std::size_t stride = code_stride(dimensions_);
    const Codes codes = new_codes(stride);
    const float query_scale = quantize(query, codes.get());
    std::array<std::int32_t, kBlockRows> sums;
    BestHits best(count);
    for (const Part& part : parts_) {
        const Block& block = *part.block;
        dot_kernels().scan(codes.get(), block.codes.get(), part.rows, stride, sums.data());
        for (std::size_t row = 0; row < part.rows; ++row) {
            const float score = static_cast<float>(sums[row]) * query_scale * block.scale[row];
            if (!best.takes(score) || !part.live->test(row)) continue;
            if (documents && !std::ranges::binary_search(*documents, block.document[row])) {
                continue;
            }
            best.add({.chunk = block.chunk[row], .score = score});
        }
    }
    return std::move(best).sorted();
}

FlatIndex::FlatIndex(std::size_t dimensions) {
    next_.dimensions_ = dimensions;
    publish(0);
}

std::shared_ptr<FlatIndex::View::Block> FlatIndex::new_block() const {
    return std::make_shared<View::Block>(code_stride(next_.dimensions_));
}

void FlatIndex::add(std::int64_t chunk, std::int64_t document, std::span<const float> vector) {
    HEDDLE_CHECK(vector.size() == next_.dimensions_, "a vector of the collection's dimension");
    auto& parts = next_.parts_;
    if (parts.empty() || parts.back().rows == kBlockRows) {
        parts.push_back({.block = new_block(), .live = std::make_shared<View::Live>()});
    }
    Part& part = parts.back();
    View::Block& block = *part.block;
    // Published views read fewer rows than this one, and copy-on-write keeps their bitmap.
    const std::size_t row = part.rows++;
    const std::size_t stride = code_stride(next_.dimensions_);
    block.scale[row] = quantize(vector, block.codes.get() + row * stride);
    block.chunk[row] = chunk;
    block.document[row] = document;
    auto live = std::make_shared<View::Live>(*part.live);
    live->set(row);
    part.live = std::move(live);
    ++next_.live_;
}

void FlatIndex::remove(std::span<const std::int64_t> chunks) {
    for (const std::int64_t chunk : chunks) remove_one(chunk);
    removed_ = removed_ || !chunks.empty();
}

void FlatIndex::remove_one(std::int64_t chunk) {
    auto& parts = next_.parts_;
    const auto first_chunk = [](const Part& part) { return part.block->chunk[0]; };
    auto part = std::ranges::upper_bound(parts, chunk, {}, first_chunk);
    if (part == parts.begin()) return;
    --part;
    const auto begin = part->block->chunk.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(part->rows);
    const auto found = std::lower_bound(begin, end, chunk);
    if (found == end || *found != chunk) return;
    const auto row = static_cast<std::size_t>(found - begin);
    if (!part->live->test(row)) return;
    auto live = std::make_shared<View::Live>(*part->live);
    live->reset(row);
    part->live = std::move(live);
    --next_.live_;
}

// Drops empty parts and joins sparse neighbours. The last part stays: it is being filled.
void FlatIndex::merge_sparse_parts() {
    std::vector<Part> kept;
    for (Part& part : next_.parts_) {
        const bool last = &part == &next_.parts_.back();
        if (part.live->none() && !last) continue;
        const bool joins =
            !kept.empty() && !last && kept.back().live->count() + part.live->count() <= kMergeRows;
        if (joins) {
            kept.back() = merged(kept.back(), part);
        } else {
            kept.push_back(std::move(part));
        }
    }
    next_.parts_ = std::move(kept);
}

FlatIndex::Part FlatIndex::merged(const Part& a, const Part& b) const {
    const std::size_t stride = code_stride(next_.dimensions_);
    Part out{.block = new_block()};
    auto live = std::make_shared<View::Live>();
    for (const Part* from : {&a, &b}) {
        for (std::size_t row = 0; row < from->rows; ++row) {
            if (!from->live->test(row)) continue;
            const std::size_t to = out.rows++;
            std::copy_n(from->block->codes.get() + row * stride, stride,
                        out.block->codes.get() + to * stride);
            out.block->scale[to] = from->block->scale[row];
            out.block->chunk[to] = from->block->chunk[row];
            out.block->document[to] = from->block->document[row];
            live->set(to);
        }
    }
    out.live = std::move(live);
    return out;
}

void FlatIndex::publish(std::uint64_t version) {
    if (std::exchange(removed_, false)) merge_sparse_parts();
    next_.version_ = version;
    auto view = std::make_shared<const View>(next_);
    const std::lock_guard lock(mutex_);
    published_ = std::move(view);
}

std::shared_ptr<const FlatIndex::View> FlatIndex::view() const {
    const std::lock_guard lock(mutex_);
    return published_;
}

}  // namespace heddle::search
