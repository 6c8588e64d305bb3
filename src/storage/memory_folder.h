// A folder in memory that fails on demand and forgets what was not synced, for tests of whatever
// must survive both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/random.h"
#include "storage/file.h"

namespace heddle::storage {

class MemoryFolder final : public Folder {
public:
    MemoryFolder();

    Result<std::unique_ptr<File>> create(std::string_view name) override;
    Result<std::unique_ptr<File>> open(std::string_view name) override;
    Result<> rename(std::string_view from, std::string_view to) override;
    Result<> remove(std::string_view name) override;
    [[nodiscard]] Result<std::vector<std::string>> list() const override;
    Result<> sync() override;

    // The `call`-th changing call from now on (0 is the next) fails once, without effect, except
    // that a failing write leaves half of its bytes. Counts over all files of the folder.
    void fail_call(std::uint64_t call);
    // Changing calls so far.
    [[nodiscard]] std::uint64_t calls() const;

    // The folder as a machine might find it after power loss now: every block and every name that
    // was not synced is the old or the new one, by chance.
    [[nodiscard]] std::unique_ptr<MemoryFolder> after_power_loss(Rng& rng) const;

    struct State;
    struct Inode;

private:
    std::shared_ptr<State> state_;
};

}  // namespace heddle::storage
