// The folder where a Heddle keeps everything, held by one process at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/file.h"
#include "storage/unique_fd.h"

namespace heddle::storage {

class DataFolder {
public:
    // Creates the folder when absent and locks it. kConflict, naming the process, when another
    // one holds it.
    static Result<DataFolder> open(const std::string& path);
    // Gives the lock back and marks the end as orderly.
    ~DataFolder();
    DataFolder(DataFolder&&) noexcept = default;
    DataFolder& operator=(DataFolder&&) noexcept = default;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string database_path() const { return path_ + "/heddle.db"; }
    // A folder of a room inside, created when absent.
    [[nodiscard]] Result<std::unique_ptr<Folder>> folder(std::string_view name) const;
    // Names the folder among all that share a store; made with it.
    [[nodiscard]] const std::string& instance() const { return instance_; }
    // The process that held the folder before has not ended by itself.
    [[nodiscard]] bool predecessor_crashed() const { return predecessor_crashed_; }

private:
    DataFolder(std::string path, UniqueFd lock, bool crashed, std::string instance)
        : path_(std::move(path)),
          lock_(std::move(lock)),
          predecessor_crashed_(crashed),
          instance_(std::move(instance)) {}

    std::string path_;
    UniqueFd lock_;
    bool predecessor_crashed_ = false;
    std::string instance_;
};

}  // namespace heddle::storage
