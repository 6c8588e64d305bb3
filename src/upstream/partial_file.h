// A file that arrives in pieces: NAME.part holds the bytes where they belong, NAME.parts says which
// segments are whole, so that a pull that was cut short goes on where it was. The file gets its
// name only after its hash has been compared with the hub's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/file.h"
#include "upstream/file_hash.h"
#include "upstream/hub_repository.h"

namespace heddle::upstream {

// Calls block, but for the queries. Writes of different segments may overlap.
class PartialFile {
public:
    // Takes up what is there of the same content and segment size, else begins anew. `folder`
    // holds the file and outlives this; `name` is the last part of the path.
    static Result<std::unique_ptr<PartialFile>> open(storage::Folder& folder, HubFile file,
                                                     std::uint64_t segment_bytes);

    [[nodiscard]] const HubFile& file() const { return file_; }
    [[nodiscard]] std::size_t segments() const { return done_.size(); }
    [[nodiscard]] bool is_done(std::size_t segment) const { return done_[segment]; }
    [[nodiscard]] std::uint64_t begin_of(std::size_t segment) const;
    [[nodiscard]] std::uint64_t end_of(std::size_t segment) const;
    [[nodiscard]] std::uint64_t bytes_done() const;

    Result<> write(std::uint64_t offset, std::string_view bytes);
    // Marks a segment in memory; any thread's turn, but one at a time. The text to be kept.
    [[nodiscard]] std::string mark_done(std::size_t segment);
    // Syncs the bytes, then keeps the text that mark_done() gave.
    Result<> keep(const std::string& state);

    // Compares the hash, then renames. kCorrupt, reason "hash_mismatch", when the content is not
    // what the hub promised: it is thrown away then.
    Result<> finish(const HashProgress& progress);

private:
    PartialFile(storage::Folder& folder, HubFile file, std::uint64_t segment_bytes);

    [[nodiscard]] std::string identity() const;
    Result<> take_up();

    storage::Folder& folder_;
    const HubFile file_;
    const std::string name_;
    const std::uint64_t segment_bytes_;
    std::vector<bool> done_;
    std::unique_ptr<storage::File> part_;
};

// Whether a file's size and hash are those of the hub; kNotFound when it is not there.
[[nodiscard]] Result<bool> is_intact(storage::Folder& folder, const HubFile& file,
                                     const HashProgress& progress = {});

}  // namespace heddle::upstream
