// Kill -9 at random moments: a child of this test uploads, reads and deletes documents until it is
// killed; what it was told to be done must then be there, whole, and nothing else.
//
// A smoke share by default, 200 kills with HEDDLE_TEST_SCALE=full.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/random.h"
#include "service/document_house_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::service {
namespace {

using namespace std::chrono_literals;

// What the child has been told by the library, from its lines.
struct Told {
    std::set<std::string> uploaded;
    std::set<std::string> deleting;  // asked for; done or not
    std::set<std::string> deleted;
};

Told read_log(const std::string& log) {
    Told told;
    std::istringstream lines(log);
    std::string verb;
    std::string id;
    while (lines >> verb >> id) {
        // The last line may be cut.
        if (id.size() != 26) continue;
        if (verb == "uploaded") told.uploaded.insert(id);
        if (verb == "deleting") told.deleting.insert(id);
        if (verb == "deleted") told.deleted.insert(id);
    }
    return told;
}

std::string run_and_kill(const std::string& folder, std::uint64_t seed,
                         std::chrono::microseconds after) {
    int ends[2];
    HEDDLE_CHECK(pipe2(ends, O_CLOEXEC) == 0, "a pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string program = HEDDLE_DOCUMENT_CRASH_TESTING;
    std::string number = std::to_string(seed);
    std::string path = folder;
    char* argv[] = {program.data(), path.data(), number.data(), nullptr};
    char* environment[] = {nullptr};
    pid_t pid = 0;
    HEDDLE_CHECK(posix_spawn(&pid, program.c_str(), &actions, nullptr, argv, environment) == 0,
                 "the child starts");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::this_thread::sleep_for(after);
    kill(pid, SIGKILL);
    std::string log;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
        log.append(buffer, static_cast<std::size_t>(n));
    close(ends[0]);
    waitpid(pid, nullptr, 0);
    return log;
}

void check_whole(DocumentHouse& house, const DocumentInfo& info) {
    if (info.state == DocumentState::kFailed) {
        EXPECT_FALSE(info.error.empty()) << info.id;
        return;
    }
    ASSERT_EQ(info.state, DocumentState::kReady) << info.id;
    const auto chunks = house.count(fmt::format(
        "SELECT COUNT(*) FROM search_chunks c JOIN search_documents d ON d.id = c.document WHERE "
        "d.document = '{}'",
        info.id));
    EXPECT_EQ(static_cast<std::uint64_t>(chunks), info.chunks) << info.id;
    // Each document holds one word of its own, which is its name.
    const auto found = house.find("anna", info.name.substr(0, info.name.find('.')));
    EXPECT_TRUE(std::find(found.begin(), found.end(), info.id) != found.end()) << info.name;
}

std::size_t count_files(const std::string& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        count += entry.is_regular_file();
    return count;
}

void check_after_crash(const std::string& folder, const Told& told) {
    DocumentHouse house(folder, {});
    DocumentQuery all{.limit = 1000};
    const auto listed = house.runtime().run(house.library().list("anna", all));
    ASSERT_TRUE(listed);
    std::set<std::string> present;
    for (const DocumentInfo& info : *listed) {
        present.insert(info.id);
        const auto last = house.finished("anna", info.id);
        // One that was replaced meanwhile is gone.
        if (last && house.runtime().run(house.library().get("anna", info.id)))
            check_whole(house, *last);
    }
    for (const std::string& id : told.uploaded) {
        if (!told.deleting.contains(id)) EXPECT_TRUE(present.contains(id)) << id;
    }
    for (const std::string& id : told.deleted) EXPECT_FALSE(present.contains(id)) << id;
    EXPECT_EQ(house.count("SELECT COUNT(*) FROM search_chunks"),
              house.count("SELECT COUNT(*) FROM search_vectors"));
    EXPECT_EQ(house.count("SELECT COUNT(*) FROM search_documents"),
              house.count("SELECT COUNT(*) FROM documents WHERE state = 'ready'"));
    EXPECT_EQ(static_cast<std::size_t>(house.count("SELECT COUNT(*) FROM documents")),
              count_files(folder + "/uploads"));
}

TEST(DocumentCrash, WhatWasAcknowledgedSurvivesWholeAndWhatWasDeletedIsGone) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets variables
    const char* scale = std::getenv("HEDDLE_TEST_SCALE");
    const bool full = scale != nullptr && std::string_view(scale) == "full";
    const int kills = full ? 200 : 4;
    const std::uint64_t seed = 20261122;
    Rng rng(seed);
    std::size_t uploaded = 0;
    std::size_t deleted = 0;
    for (int round = 0; round < kills; ++round) {
        const storage::Scratch scratch;
        Told told;
        // Twice on the same folder, so that recovery itself is interrupted too.
        for (int life = 0; life < 2; ++life) {
            const auto after = std::chrono::microseconds(50'000 + rng.below(450'000));
            const Told more = read_log(run_and_kill(scratch.path(), rng(), after));
            told.uploaded.insert(more.uploaded.begin(), more.uploaded.end());
            told.deleting.insert(more.deleting.begin(), more.deleting.end());
            told.deleted.insert(more.deleted.begin(), more.deleted.end());
        }
        uploaded += told.uploaded.size();
        deleted += told.deleted.size();
        SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
        check_after_crash(scratch.path(), told);
        if (testing::Test::HasFailure()) break;
    }
    EXPECT_GT(uploaded, 0U);
    RecordProperty("kills", 2 * kills);
    RecordProperty("uploaded", static_cast<int>(uploaded));
    RecordProperty("deleted", static_cast<int>(deleted));
    fmt::print("{} kills, {} uploads acknowledged, {} deletions\n", 2 * kills, uploaded, deleted);
}

}  // namespace
}  // namespace heddle::service
