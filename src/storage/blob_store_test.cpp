// Blobs over a real folder and over one that fails at every call and loses unsynced blocks.
#include "storage/blob_store.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "base/ids.h"
#include "storage/data_folder.h"
#include "storage/local_folder.h"
#include "storage/memory_folder.h"
#include "storage/scratch_testing.h"

namespace heddle::storage {
namespace {

const std::string kText(5000, 't');

Result<BlobInfo> store(BlobStore& blobs, std::string_view text) {
    HEDDLE_TRY(auto writer, blobs.create_blocking(10'000));
    const auto bytes = std::as_bytes(std::span(text));
    HEDDLE_TRY_VOID(writer.write_blocking(bytes.first(bytes.size() / 2)));
    HEDDLE_TRY_VOID(writer.write_blocking(bytes.subspan(bytes.size() / 2)));
    return writer.commit_blocking();
}

class BlobStoreTest : public testing::Test {
protected:
    async::WorkerPool pool_{1};
    Scratch scratch_;
};

async::Task<Result<std::string>> round_trip(BlobStore* blobs, std::string text) {
    HEDDLE_CO_TRY(auto writer, co_await blobs->create(100));
    HEDDLE_CO_TRY_VOID(co_await writer.write(text));
    HEDDLE_CO_TRY(const auto info, co_await writer.commit());
    HEDDLE_CO_TRY(const auto blob, co_await blobs->open(info.id));
    co_return co_await blob.read(0, 1000);
}

TEST_F(BlobStoreTest, StreamsInAndOut) {
    async::Runtime runtime({});
    BlobStore blobs(open_local_folder(scratch_.path() + "/b").value(), pool_);
    EXPECT_EQ(runtime.run(round_trip(&blobs, "a few words")).value(), "a few words");
    const auto info = store(blobs, "abc");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->size, 3u);
    EXPECT_EQ(info->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_TRUE(blobs.remove_blocking(info->id));
    EXPECT_TRUE(blobs.remove_blocking(info->id)) << "twice is no error";
    EXPECT_EQ(blobs.open_blocking(info->id).error().code(), ErrorCode::kNotFound);
}

TEST_F(BlobStoreTest, StopsAtTheLimitAndLeavesNothing) {
    const std::shared_ptr<Folder> folder = open_local_folder(scratch_.path() + "/b").value();
    BlobStore blobs(folder, pool_);
    {
        auto writer = blobs.create_blocking(4).value();
        EXPECT_TRUE(writer.write_blocking(std::as_bytes(std::span("123", 3))));
        const auto over = writer.write_blocking(std::as_bytes(std::span("45", 2)));
        EXPECT_EQ(over.error().code(), ErrorCode::kTooLarge);
    }
    EXPECT_TRUE(folder->list().value().empty());
}

TEST_F(BlobStoreTest, NamesThatAreNotIdsReachNothing) {
    std::ofstream(scratch_.path() + "/secret") << "x";
    BlobStore blobs(open_local_folder(scratch_.path() + "/b").value(), pool_);
    for (const char* name : {"../secret", "/etc/passwd", "", ".", "..", "secret\0x"}) {
        EXPECT_EQ(blobs.open_blocking(name).error().code(), ErrorCode::kNotFound) << name;
    }
    const std::string id = new_id();
    std::filesystem::create_symlink(scratch_.path() + "/secret", scratch_.path() + "/b/" + id);
    EXPECT_FALSE(blobs.open_blocking(id)) << "links are not followed";
}

TEST_F(BlobStoreTest, SweepKeepsWhatIsWanted) {
    const std::shared_ptr<Folder> folder = open_local_folder(scratch_.path() + "/b").value();
    BlobStore blobs(folder, pool_);
    const std::string kept = store(blobs, "kept").value().id;
    const std::string orphan = store(blobs, "orphan").value().id;
    ASSERT_TRUE(folder->create(new_id() + ".tmp"));
    const auto wanted = [&](std::string_view id) { return id == kept; };
    EXPECT_EQ(blobs.sweep_blocking(wanted).value(), 2u);
    EXPECT_EQ(folder->list().value(), std::vector<std::string>{kept});
}

// Fails the first changing call, then the second, and so on until none fails: an error is
// reported, and after a sweep nothing but complete blobs is there.
TEST_F(BlobStoreTest, EveryFaultIsReportedAndLeavesNoPart) {
    for (std::uint64_t call = 0;; ++call) {
        const auto folder = std::make_shared<MemoryFolder>();
        BlobStore blobs(folder, pool_);
        folder->fail_call(call);
        const auto stored = store(blobs, kText);
        if (stored) {
            EXPECT_GE(call, 5u);
            break;
        }
        EXPECT_EQ(stored.error().code(), ErrorCode::kIo);
        const auto none = [](std::string_view) { return false; };
        ASSERT_TRUE(blobs.sweep_blocking(none));
        EXPECT_TRUE(folder->list().value().empty()) << "fault at call " << call;
    }
}

TEST_F(BlobStoreTest, ACommittedBlobSurvivesPowerLoss) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Rng rng(seed);
        const auto folder = std::make_shared<MemoryFolder>();
        BlobStore blobs(folder, pool_);
        const std::string id = store(blobs, kText).value().id;
        auto unfinished = blobs.create_blocking(10'000).value();
        ASSERT_TRUE(unfinished.write_blocking(std::as_bytes(std::span(kText))));
        BlobStore after(folder->after_power_loss(rng), pool_);
        const auto blob = after.open_blocking(id);
        ASSERT_TRUE(blob) << "seed " << seed;
        EXPECT_EQ(blob->read_blocking(0, 10'000).value(), kText) << "seed " << seed;
    }
}

TEST_F(BlobStoreTest, ReplacedFilesAreOldOrNew) {
    const std::string old_text(3000, 'o');
    const std::string new_text(4000, 'n');
    for (std::uint64_t call = 0; call < 6; ++call) {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            Rng rng(seed);
            MemoryFolder folder;
            ASSERT_TRUE(replace_file(folder, "state", std::as_bytes(std::span(old_text))));
            folder.fail_call(call);
            (void)replace_file(folder, "state", std::as_bytes(std::span(new_text)));
            const auto after = folder.after_power_loss(rng);
            const auto bytes = read_file(*after, "state", 1 << 20);
            ASSERT_TRUE(bytes);
            const std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
            EXPECT_TRUE(text == old_text || text == new_text) << call << " seed " << seed;
        }
    }
}

TEST(DataFolderTest, OneProcessAtATime) {
    const Scratch scratch;
    const std::string path = scratch.path() + "/data";
    {
        const auto first = DataFolder::open(path);
        ASSERT_TRUE(first);
        EXPECT_FALSE(first->predecessor_crashed());
        const auto second = DataFolder::open(path);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().message(),
                  "the data folder is in use by process " + std::to_string(getpid()));
    }
    EXPECT_FALSE(DataFolder::open(path).value().predecessor_crashed());
    std::ofstream(path + "/lock") << "4711\n";
    EXPECT_TRUE(DataFolder::open(path).value().predecessor_crashed());
}

}  // namespace
}  // namespace heddle::storage
