// The database as rooms use it: durable grouped writes, snapshots, migrations, clear refusals.
#include "storage/database.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "async/gather.h"
#include "async/runtime.h"
#include "storage/postgres_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::storage {
namespace {

const Schema kNotes{.room = "notes",
                    .steps = {{.sql = "CREATE TABLE notes (id {serial}, owner TEXT NOT NULL, "
                                      "body TEXT UNIQUE, bytes {blob}, weight DOUBLE PRECISION)"}}};

// Runs on each store; those of SQLite alone are in SqliteTest.
class DatabaseTest : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        location_ = path();
        if (std::string_view(GetParam()) == "postgres") location_ = fresh_postgres_url();
        if (location_.empty()) GTEST_SKIP() << "no PostgreSQL server is installed";
        reopen();
    }

    void reopen() {
        db_.reset();
        auto opened = Database::open({.location = location_});
        ASSERT_TRUE(opened) << opened.error().message();
        db_ = std::move(*opened);
        const auto migrated = db_->migrate(kNotes);
        ASSERT_TRUE(migrated) << migrated.error().message();
    }
    [[nodiscard]] std::string path() const { return scratch_.path() + "/heddle.db"; }
    [[nodiscard]] std::int64_t count() {
        return db_->read_blocking([](Session& s) { return s.number("SELECT count(*) FROM notes"); })
            .value();
    }

    Scratch scratch_;
    std::string location_;
    std::unique_ptr<Database> db_;
};
INSTANTIATE_TEST_SUITE_P(Stores, DatabaseTest, testing::Values("sqlite", "postgres"));

class SqliteTest : public DatabaseTest {};
INSTANTIATE_TEST_SUITE_P(Stores, SqliteTest, testing::Values("sqlite"));

Result<std::int64_t> add_note(Transaction& tx, std::string_view body) {
    return tx.execute("INSERT INTO notes (owner, body) VALUES (?, ?)", "anna", body);
}

TEST_P(DatabaseTest, EveryTypeComesBackAsItWentIn) {
    const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}, std::byte{7}};
    const auto write = [&](Transaction& tx) {
        return tx.execute("INSERT INTO notes (owner, body, bytes, weight) VALUES (?, ?, ?, ?)",
                          "anna", std::optional<std::string>(), std::span<const std::byte>(bytes),
                          0.25);
    };
    EXPECT_EQ(db_->write_blocking(write).value(), 1);
    const auto read = [&](Session& session) {
        const auto check = [&](const Row& row) {
            EXPECT_EQ(row.integer(0), 1);
            EXPECT_EQ(row.text(1), "anna");
            EXPECT_TRUE(row.is_null(2));
            EXPECT_EQ(row.optional_string(2), std::nullopt);
            EXPECT_TRUE(std::ranges::equal(row.blob(3), bytes));
            EXPECT_EQ(row.real(4), 0.25);
            return true;
        };
        return session.first("SELECT id, owner, body, bytes, weight FROM notes", check);
    };
    EXPECT_EQ(db_->read_blocking(read).value(), true);
}

TEST_P(DatabaseTest, EmptyTextIsNotNull) {
    const auto write = [](Transaction& tx) { return add_note(tx, std::string_view()); };
    ASSERT_TRUE(db_->write_blocking(write));
    const auto nulls = [](Session& s) {
        return s.number("SELECT count(*) FROM notes WHERE body IS NULL");
    };
    EXPECT_EQ(db_->read_blocking(nulls).value(), 0);
}

TEST_P(DatabaseTest, SurvivesAReopen) {
    ASSERT_TRUE(db_->write_blocking([](Transaction& tx) { return add_note(tx, "kept"); }));
    reopen();
    EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseTest, AFailedFunctionTakesNothingOfTheOthersWithIt) {
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    const auto one = [](Database* db, int i) -> async::Task<Result<std::int64_t>> {
        const auto fn = [i](Transaction& tx) -> Result<std::int64_t> {
            HEDDLE_TRY_VOID(add_note(tx, "note " + std::to_string(i)));
            if (i % 3 == 0) return fail(ErrorCode::kInvalidArgument, "every third is refused");
            return i;
        };
        co_return co_await db->write(fn);
    };
    std::vector<async::Task<Result<std::int64_t>>> tasks;
    for (int i = 0; i < 300; ++i) tasks.push_back(one(db_.get(), i));
    const auto outcomes = runtime.run(async::gather(std::move(tasks)));
    for (int i = 0; i < 300; ++i) EXPECT_EQ(outcomes[i].has_value(), i % 3 != 0) << i;
    EXPECT_EQ(count(), 200);
}

TEST_P(DatabaseTest, ExceptionsComeOutAndUndo) {
    const auto throwing = [](Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(add_note(tx, "gone"));
        throw std::runtime_error("in the middle");
    };
    EXPECT_THROW((void)db_->write_blocking(throwing), std::runtime_error);
    EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, HooksRunAfterTheCommitOnly) {
    std::atomic<int> ran{0};
    const auto commits = [&](Transaction& tx) -> Result<> {
        tx.after_commit([&] { ++ran; });
        EXPECT_EQ(ran, 0);
        return {};
    };
    const auto fails = [&](Transaction& tx) -> Result<> {
        tx.after_commit([&] { ran += 100; });
        return fail(ErrorCode::kConflict, "no");
    };
    EXPECT_TRUE(db_->write_blocking(commits));
    EXPECT_FALSE(db_->write_blocking(fails));
    EXPECT_EQ(ran, 1);
}

TEST_P(DatabaseTest, ABrokenRuleIsAConflictThatSaysWhich) {
    ASSERT_TRUE(db_->write_blocking([](Transaction& tx) { return add_note(tx, "same"); }));
    const auto again = db_->write_blocking([](Transaction& tx) { return add_note(tx, "same"); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::kConflict);
    EXPECT_EQ(again.error().reason(), "unique");
}

TEST_P(DatabaseTest, AReadSeesOneStateThroughout) {
    std::atomic<bool> counted{false};
    std::atomic<bool> written{false};
    std::thread writer([&] {
        while (!counted) std::this_thread::yield();
        EXPECT_TRUE(db_->write_blocking([](Transaction& tx) { return add_note(tx, "late"); }));
        written = true;
    });
    const auto read = [&](Session& session) -> Result<bool> {
        HEDDLE_TRY(const auto before, session.number("SELECT count(*) FROM notes"));
        counted = true;
        while (!written) std::this_thread::yield();
        HEDDLE_TRY(const auto after, session.number("SELECT count(*) FROM notes"));
        return before == after;
    };
    EXPECT_EQ(db_->read_blocking(read).value(), true);
    writer.join();
    EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseTest, ReadersCannotWrite) {
    const auto read = [](Session& s) { return s.execute("DELETE FROM notes"); };
    EXPECT_FALSE(db_->read_blocking(read));
}

TEST_P(DatabaseTest, AFullQueueRefuses) {
    auto small = Database::open({.location = location_, .write_queue_max = 1}).value();
    std::atomic<bool> entered{false};
    std::atomic<bool> leave{false};
    const auto hold = [&](Transaction&) -> Result<> {
        entered = true;
        while (!leave) std::this_thread::yield();
        return {};
    };
    std::thread first([&] { EXPECT_TRUE(small->write_blocking(hold)); });
    while (!entered) std::this_thread::yield();
    std::atomic<int> refused{0};
    const auto nothing = [](Transaction&) -> Result<> { return {}; };
    std::vector<std::thread> more;
    for (int i = 0; i < 3; ++i) {
        more.emplace_back([&] {
            const auto outcome = small->write_blocking(nothing);
            if (!outcome && outcome.error().code() == ErrorCode::kUnavailable) ++refused;
        });
    }
    while (refused < 2) std::this_thread::yield();
    leave = true;
    first.join();
    for (auto& thread : more) thread.join();
    EXPECT_EQ(refused, 2);
}

TEST_P(DatabaseTest, MovesForwardStepByStepAndRefusesANewerFile) {
    ASSERT_TRUE(db_->write_blocking([](Transaction& tx) { return add_note(tx, "old"); }));
    Schema newer = kNotes;
    newer.steps.push_back({.sql = "ALTER TABLE notes ADD COLUMN stars BIGINT NOT NULL DEFAULT 3"});
    ASSERT_TRUE(db_->migrate(newer));
    const auto stars = [](Session& s) { return s.number("SELECT stars FROM notes"); };
    EXPECT_EQ(db_->read_blocking(stars).value(), 3);
    const auto refused = db_->migrate(kNotes);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("newer Heddle"), std::string::npos);
}

TEST_P(SqliteTest, AFailedMigrationLeavesNothing) {
    Schema wrong = kNotes;
    wrong.steps.push_back({.sql = "CREATE TABLE half (id BIGINT)"});
    wrong.steps.push_back({.sql = "CREATE TABLE notes (id BIGINT)"});
    EXPECT_FALSE(db_->migrate(wrong));
    const auto half = [](Session& s) {
        return s.number("SELECT count(*) FROM sqlite_master WHERE name = 'half'");
    };
    EXPECT_EQ(db_->read_blocking(half).value(), 0);
    EXPECT_TRUE(db_->migrate(kNotes));
}

TEST_P(SqliteTest, RefusesWhatIsNoDatabaseOrAnothers) {
    const std::string junk = scratch_.path() + "/junk.db";
    std::ofstream(junk) << std::string(8192, 'x');
    const auto damaged = Database::open({.location = junk});
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code(), ErrorCode::kCorrupt);

    const auto tag = [](Transaction& tx) { return tx.execute("PRAGMA user_version = 1"); };
    ASSERT_TRUE(db_->write_blocking(tag));
    db_.reset();
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(68);  // the application id in the header of the file format
    file.write("Fire", 4);
    file.close();
    const auto foreign = Database::open({.location = path()});
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().code(), ErrorCode::kConflict);
}

TEST_P(SqliteTest, ChecksAndCopies) {
    ASSERT_TRUE(db_->write_blocking([](Transaction& tx) { return add_note(tx, "copied"); }));
    EXPECT_TRUE(db_->check_blocking());
    const std::string copy = scratch_.path() + "/copy.db";
    ASSERT_TRUE(db_->copy_to_blocking(copy));
    auto opened = Database::open({.location = copy}).value();
    const auto bodies = [](Session& s) {
        return s.number("SELECT count(*) FROM notes WHERE body = 'copied'");
    };
    EXPECT_EQ(opened->read_blocking(bodies).value(), 1);
}

// What a child has been told is committed is there after it is killed.
TEST_P(DatabaseTest, AcknowledgedWritesSurviveAKill) {
    db_.reset();
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        auto db = Database::open({.location = location_}).value();
        for (int i = 0;; ++i) {
            const auto fn = [i](Transaction& tx) { return add_note(tx, std::to_string(i)); };
            if (!db->write_blocking(fn) || write(pipe_ends[1], &i, sizeof i) != sizeof i) _exit(1);
        }
    }
    close(pipe_ends[1]);
    int acknowledged = -1;
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(read(pipe_ends[0], &acknowledged, sizeof acknowledged),
                  static_cast<ssize_t>(sizeof acknowledged));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(pipe_ends[0], &acknowledged, sizeof acknowledged) > 0) {
    }
    close(pipe_ends[0]);
    reopen();
    EXPECT_GE(count(), acknowledged + 1);
    EXPECT_LE(count(), acknowledged + 2) << "at most the write whose answer was not sent";
}

}  // namespace
}  // namespace heddle::storage
