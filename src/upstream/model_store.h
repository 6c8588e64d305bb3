// The models that were pulled: ROOT/owner/model/ holds the files of one repository and
// heddle-model.json, the manifest that says what they are and what their hashes must be.
//
//   {"format": 1, "repository": "owner/model", "hub": "https://…",
//    "files": [{"path", "bytes", "sha256" or "git_sha1", "revision"}]}
//
// A file is listed only after its hash was compared. Every call blocks. Any thread; a pull holds
// the model's lock, so that two never write the same files.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/unique_fd.h"
#include "upstream/file_hash.h"
#include "upstream/hub_repository.h"

namespace heddle::upstream {

struct StoredFile {
    HubFile file;
    std::string revision;  // the commit it came from
};

struct StoredModel {
    std::string repository;
    std::string hub;
    std::vector<StoredFile> files;  // by path
    std::filesystem::path folder;

    [[nodiscard]] std::uint64_t bytes() const;
};

class ModelStore {
public:
    // The folder need not be there.
    explicit ModelStore(std::filesystem::path root) : root_(std::move(root)) {}

    // By name. Folders without a sound manifest are passed over.
    [[nodiscard]] Result<std::vector<StoredModel>> list() const;
    // kNotFound when there is none, kCorrupt for a manifest that cannot be believed.
    [[nodiscard]] Result<StoredModel> open(const std::string& repository) const;
    // Where `--model NAME` finds a pulled model: a GGUF file, or a folder with safetensors.
    // NAME is owner/model, or owner/model:file as for a pull.
    [[nodiscard]] Result<std::filesystem::path> find(std::string_view name) const;

    // One line for each file that is missing or damaged; none when all is well.
    [[nodiscard]] Result<std::vector<std::string>> verify(const StoredModel& model,
                                                          const HashProgress& progress) const;
    // The model and what an unfinished pull left of it, or one file of it.
    Result<> remove(const HubName& name);

    // For a pull. Makes the folder, and locks it until the descriptor is closed: kConflict when
    // another process holds it.
    struct Lock {
        std::filesystem::path folder;
        storage::UniqueFd fd;
    };
    [[nodiscard]] Result<Lock> lock(const std::string& repository);
    // Adds files to the manifest; those of the same path are replaced. Under the lock.
    Result<> add(const std::string& repository, const std::string& hub,
                 const std::vector<StoredFile>& files);

private:
    [[nodiscard]] std::filesystem::path folder_of(const std::string& repository) const {
        return root_ / repository;
    }
    Result<> write(const StoredModel& model);

    std::filesystem::path root_;
};

}  // namespace heddle::upstream
