#include "storage/memory_folder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

namespace heddle::storage {

using Bytes = std::vector<std::byte>;

struct MemoryFolder::Inode {
    Bytes live;
    Bytes synced;
};

struct MemoryFolder::State {
    using Names = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;

    mutable std::mutex mutex;
    Names live;
    Names synced;
    std::uint64_t calls = 0;
    std::optional<std::uint64_t> failing_call;

    // Called with the mutex held, at the start of every change.
    Result<> change() {
        if (calls++ == failing_call) return fail(ErrorCode::kIo, "an injected fault");
        return {};
    }
};

namespace {

constexpr std::size_t kBlock = 512;

class MemoryFile final : public File {
public:
    MemoryFile(std::shared_ptr<MemoryFolder::State> state,
               std::shared_ptr<MemoryFolder::Inode> inode)
        : state_(std::move(state)), inode_(std::move(inode)) {}

    Result<> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
        const std::lock_guard lock(state_->mutex);
        const Result<> allowed = state_->change();
        if (!allowed) bytes = bytes.first(bytes.size() / 2);
        Bytes& live = inode_->live;
        live.resize(std::max<std::size_t>(live.size(), offset + bytes.size()));
        std::ranges::copy(bytes, live.begin() + static_cast<std::ptrdiff_t>(offset));
        return allowed;
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
        const std::lock_guard lock(state_->mutex);
        if (offset >= inode_->live.size()) return 0U;
        const std::size_t count = std::min<std::size_t>(out.size(), inode_->live.size() - offset);
        std::copy_n(inode_->live.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
        return count;
    }
    [[nodiscard]] Result<std::uint64_t> size() const override {
        const std::lock_guard lock(state_->mutex);
        return inode_->live.size();
    }
    Result<> truncate(std::uint64_t size) override {
        const std::lock_guard lock(state_->mutex);
        HEDDLE_TRY_VOID(state_->change());
        inode_->live.resize(size);
        return {};
    }
    Result<> sync() override {
        const std::lock_guard lock(state_->mutex);
        HEDDLE_TRY_VOID(state_->change());
        inode_->synced = inode_->live;
        return {};
    }
    [[nodiscard]] int descriptor() const override { return -1; }

private:
    std::shared_ptr<MemoryFolder::State> state_;
    std::shared_ptr<MemoryFolder::Inode> inode_;
};

// Each block that differs is the old or the new one.
Bytes torn(const Bytes& synced, const Bytes& live, Rng& rng) {
    Bytes out = rng.below(2) == 0 ? synced : live;
    for (std::size_t at = 0; at < out.size(); at += kBlock) {
        const Bytes& from = rng.below(2) == 0 ? synced : live;
        for (std::size_t i = at; i < std::min(at + kBlock, out.size()); ++i) {
            out[i] = i < from.size() ? from[i] : std::byte{0};
        }
    }
    return out;
}

}  // namespace

MemoryFolder::MemoryFolder() : state_(std::make_shared<State>()) {}

Result<std::unique_ptr<File>> MemoryFolder::create(std::string_view name) {
    const std::lock_guard lock(state_->mutex);
    if (!is_plain_name(name)) return fail(ErrorCode::kInvalidArgument, "not a plain name");
    HEDDLE_TRY_VOID(state_->change());
    const auto [at, added] = state_->live.emplace(name, std::make_shared<Inode>());
    if (!added) return fail(ErrorCode::kConflict, "the file exists already");
    return std::make_unique<MemoryFile>(state_, at->second);
}

Result<std::unique_ptr<File>> MemoryFolder::open(std::string_view name) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->live.find(name);
    if (found == state_->live.end()) return fail(ErrorCode::kNotFound, "there is no such file");
    return std::make_unique<MemoryFile>(state_, found->second);
}

Result<> MemoryFolder::rename(std::string_view from, std::string_view to) {
    const std::lock_guard lock(state_->mutex);
    HEDDLE_TRY_VOID(state_->change());
    auto moved = state_->live.extract(state_->live.find(from));
    if (moved.empty()) return fail(ErrorCode::kNotFound, "there is no such file");
    state_->live.insert_or_assign(std::string(to), moved.mapped());
    return {};
}

Result<> MemoryFolder::remove(std::string_view name) {
    const std::lock_guard lock(state_->mutex);
    HEDDLE_TRY_VOID(state_->change());
    const auto found = state_->live.find(name);
    if (found == state_->live.end()) return fail(ErrorCode::kNotFound, "there is no such file");
    state_->live.erase(found);
    return {};
}

Result<std::vector<std::string>> MemoryFolder::list() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<std::string> names;
    for (const auto& [name, inode] : state_->live) names.push_back(name);
    return names;
}

Result<> MemoryFolder::sync() {
    const std::lock_guard lock(state_->mutex);
    HEDDLE_TRY_VOID(state_->change());
    state_->synced = state_->live;
    return {};
}

void MemoryFolder::fail_call(std::uint64_t call) {
    const std::lock_guard lock(state_->mutex);
    state_->failing_call = state_->calls + call;
}

std::uint64_t MemoryFolder::calls() const {
    const std::lock_guard lock(state_->mutex);
    return state_->calls;
}

std::unique_ptr<MemoryFolder> MemoryFolder::after_power_loss(Rng& rng) const {
    const std::lock_guard lock(state_->mutex);
    auto folder = std::make_unique<MemoryFolder>();
    std::set<std::string> names;
    for (const auto& [name, inode] : state_->live) names.insert(name);
    for (const auto& [name, inode] : state_->synced) names.insert(name);
    for (const std::string& name : names) {
        const State::Names& side = rng.below(2) == 0 ? state_->live : state_->synced;
        const auto found = side.find(name);
        if (found == side.end()) continue;
        auto inode = std::make_shared<Inode>();
        inode->live = torn(found->second->synced, found->second->live, rng);
        inode->synced = inode->live;
        folder->state_->live.emplace(name, inode);
    }
    folder->state_->synced = folder->state_->live;
    return folder;
}

}  // namespace heddle::storage
