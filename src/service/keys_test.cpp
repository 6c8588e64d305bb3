// Keys open what they should, sessions end with their key, and nothing is kept in clear.
#include "service/keys.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "storage/database.h"
#include "storage/scratch_testing.h"

namespace heddle::service {
namespace {

class KeysTest : public testing::Test {
protected:
    KeysTest() { reopen({}); }

    void reopen(std::vector<std::string> file_keys) {
        keys_.reset();
        database_.reset();
        database_ = *storage::Database::open({.location = scratch_.path() + "/heddle.db"}, clock_);
        keys_ = *Keys::open(*database_, {.session_lifetime = std::chrono::hours(1)},
                            std::move(file_keys));
    }
    template <class T>
    T run(async::Task<T> task) {
        return runtime_.run(std::move(task));
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    storage::Scratch scratch_;
    FakeClock clock_;
    std::unique_ptr<storage::Database> database_;
    std::unique_ptr<Keys> keys_;
};

TEST_F(KeysTest, AKeyOpensUntilItIsRevoked) {
    EXPECT_FALSE(keys_->required());
    const std::string key = *run(keys_->create("anna", "laptop", KeyRole::kUser));
    EXPECT_TRUE(key.starts_with("hd-"));
    EXPECT_GE(key.size(), 40u);
    EXPECT_TRUE(keys_->required());
    EXPECT_EQ(keys_->authenticate(key)->owner, "anna");
    EXPECT_FALSE(keys_->authenticate(key.substr(1)));
    EXPECT_FALSE(keys_->authenticate(""));

    reopen({});
    EXPECT_TRUE(keys_->authenticate(key)) << "keys survive a restart";
    const auto listed = *run(keys_->list());
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_TRUE(run(keys_->revoke(listed[0].id)));
    EXPECT_FALSE(keys_->authenticate(key));
    EXPECT_EQ(run(keys_->revoke(listed[0].id)).error().code(), ErrorCode::kNotFound);
}

TEST_F(KeysTest, NothingIsStoredInClear) {
    const std::string key = *run(keys_->create("anna", "laptop", KeyRole::kAdmin));
    const Session session = *run(keys_->open_session(*keys_->authenticate(key)));
    keys_.reset();
    database_.reset();
    std::stringstream bytes;
    for (const char* suffix : {"", "-wal"})
        bytes << std::ifstream(scratch_.path() + "/heddle.db" + suffix).rdbuf();
    EXPECT_NE(bytes.str().find("anna"), std::string::npos);
    EXPECT_EQ(bytes.str().find(key.substr(3, 20)), std::string::npos);
    EXPECT_EQ(bytes.str().find(session.token), std::string::npos);
}

TEST_F(KeysTest, SessionsEndByTimeByLogoutAndWithTheirKey) {
    const std::string key = *run(keys_->create("anna", "laptop", KeyRole::kUser));
    const Identity anna = *keys_->authenticate(key);
    const Session first = *run(keys_->open_session(anna));
    const Session second = *run(keys_->open_session(anna));
    const Session third = *run(keys_->open_session(anna));
    EXPECT_EQ(keys_->session(first.token)->identity.owner, "anna");
    EXPECT_EQ(keys_->session(first.token)->csrf, first.csrf);

    run(keys_->close_session(first.token));
    EXPECT_FALSE(keys_->session(first.token));

    EXPECT_TRUE(run(keys_->revoke(anna.key_id)));
    EXPECT_FALSE(keys_->session(second.token));

    const Session local = *run(keys_->open_session(local_identity()));
    EXPECT_TRUE(keys_->session(local.token));
    clock_.advance(std::chrono::minutes(61));
    EXPECT_FALSE(keys_->session(local.token));
    EXPECT_FALSE(keys_->session(third.token));
}

TEST_F(KeysTest, KeysOfAFileAreAdminsAndNeverStored) {
    reopen({"a-key-from-a-file"});
    EXPECT_EQ(keys_->authenticate("a-key-from-a-file")->role, KeyRole::kAdmin);
    EXPECT_TRUE(run(keys_->list())->empty());
}

TEST_F(KeysTest, NamesAreChecked) {
    EXPECT_EQ(run(keys_->create("", "x", KeyRole::kUser)).error().param(), "owner");
    EXPECT_EQ(run(keys_->create("anna", "a\nb", KeyRole::kUser)).error().param(), "label");
    EXPECT_FALSE(run(keys_->create(std::string(101, 'a'), "x", KeyRole::kUser)));
}

}  // namespace
}  // namespace heddle::service
