// Keys on a database in a folder of its own, for tests of this room and of api.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "service/keys.h"
#include "storage/database.h"
#include "storage/scratch_testing.h"

namespace heddle::service {

// Knows the file keys given; more can be created.
class TestKeys {
public:
    explicit TestKeys(std::vector<std::string> file_keys)
        : database_(*storage::Database::open({.location = scratch_.path() + "/heddle.db"},
                                             Clock::system())),
          keys_(*Keys::open(*database_, {}, std::move(file_keys))) {}

    [[nodiscard]] std::shared_ptr<Keys> keys() {
        return {keys_.get(), [](Keys*) {}};
    }

private:
    storage::Scratch scratch_;
    std::unique_ptr<storage::Database> database_;
    std::unique_ptr<Keys> keys_;
};

}  // namespace heddle::service
