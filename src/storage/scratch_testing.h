// A folder of its own for a test, removed afterwards.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/check.h"

namespace heddle::storage {

class Scratch {
public:
    Scratch() : path_((std::filesystem::temp_directory_path() / "heddle-XXXXXX").string()) {
        HEDDLE_CHECK(mkdtemp(path_.data()) != nullptr, "a folder for the test");
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace heddle::storage
