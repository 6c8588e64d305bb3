// Files that come, change and go, with the real library behind the folder.
#include "service/watched_folder.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "service/document_house_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::service {
namespace {

class WatchedFolderTest : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(folder_ + "/below");
        DocumentHouse::Options options;
        options.config.formats = {"text"};
        house_ = std::make_unique<DocumentHouse>(scratch_.path(), std::move(options));
        reopen();
    }
    void reopen(WatchOptions options = {}) {
        options.folder = folder_;
        options.owner = "anna";
        options.formats = {"text"};
        watched_ = WatchedFolder::open(house_->database(), house_->library(),
                                       house_->runtime().workers(), options)
                       .value();
    }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ + "/" + name) << text;
        // Times of files may be coarse: what changes gets a time of its own.
        time_ += std::chrono::seconds(5);
        std::filesystem::last_write_time(folder_ + "/" + name, time_);
    }
    ScanReport scan() {
        const auto report = house_->runtime().run(watched_->scan());
        EXPECT_TRUE(report) << report.error().message();
        settle();
        return report.value_or(ScanReport{});
    }
    void settle() {
        for (const DocumentInfo& info : documents()) (void)house_->finished("anna", info.id);
    }
    std::vector<DocumentInfo> documents() {
        return house_->runtime().run(house_->library().list("anna", {})).value();
    }

    // The name of the document that the question finds first.
    std::string best(const std::string& question) {
        const std::string id = house_->find("anna", question).at(0);
        return house_->runtime().run(house_->library().get("anna", id)).value().name;
    }

    storage::Scratch scratch_;
    const std::string folder_ = scratch_.path() + "/watched";
    std::filesystem::file_time_type time_ = std::filesystem::file_time_type::clock::now();
    std::unique_ptr<DocumentHouse> house_;
    std::unique_ptr<WatchedFolder> watched_;
};

TEST_F(WatchedFolderTest, FilesComeChangeAndGo) {
    write("a.txt", "The warp is held under tension.");
    write("below/b.txt", "The weft goes over and under.");
    write("c.bin", "no document");
    write(".hidden.txt", "nothing to see");
    ScanReport report = scan();
    EXPECT_EQ(report.files, 2U);
    EXPECT_EQ(report.added, 2U);
    EXPECT_EQ(best("weft goes over"), "below/b.txt");
    EXPECT_EQ(scan().added, 0U) << "what has not changed is left alone";

    write("a.txt", "The warp is slack now.");
    report = scan();
    EXPECT_EQ(report.added, 1U);
    EXPECT_EQ(documents().size(), 2U) << "the old version is gone";
    EXPECT_EQ(best("warp slack now"), "a.txt");

    std::filesystem::remove(folder_ + "/below/b.txt");
    reopen();  // a server that comes back finds out too
    report = scan();
    EXPECT_EQ(report.removed, 1U);
    ASSERT_EQ(documents().size(), 1U);
    EXPECT_EQ(documents().front().name, "a.txt");
}

TEST_F(WatchedFolderTest, ADiskThatGoesAwayDeletesNothing) {
    write("a.txt", "The warp is held under tension.");
    scan();
    std::filesystem::rename(folder_, folder_ + ".away");
    EXPECT_FALSE(house_->runtime().run(watched_->scan()));
    EXPECT_EQ(documents().size(), 1U);
}

TEST_F(WatchedFolderTest, OneDocumentOfTwoFilesStaysWithTheLast) {
    write("a.txt", "The same words.");
    write("b.txt", "The same words.");
    EXPECT_EQ(scan().added, 2U);
    ASSERT_EQ(documents().size(), 1U);
    std::filesystem::remove(folder_ + "/a.txt");
    EXPECT_EQ(scan().removed, 1U);
    EXPECT_EQ(documents().size(), 1U);
    std::filesystem::remove(folder_ + "/b.txt");
    scan();
    EXPECT_TRUE(documents().empty());
}

TEST_F(WatchedFolderTest, IsBoundedAndRemembersRefusals) {
    reopen({.files_max = 2});
    for (const char* name : {"a.txt", "b.txt", "c.txt"})
        write(name, std::string("words of ") + name);
    const ScanReport report = scan();
    EXPECT_TRUE(report.too_many);
    EXPECT_EQ(report.files, 2U);
    reopen();
    std::ofstream(folder_ + "/d.txt", std::ios::binary) << std::string("\0\1\2binary", 9);
    EXPECT_EQ(scan().refused, 1U);
    EXPECT_EQ(scan().refused, 0U) << "not again until it changes";
}

TEST_F(WatchedFolderTest, IsToldOfChanges) {
    reopen({.look_again = std::chrono::minutes(10), .settle = std::chrono::milliseconds(20)});
    const auto follow = [](WatchedFolder* folder) -> async::Task<Result<>> {
        co_await folder->run();
        co_return Result<>();
    };
    const auto look = [](DocumentHouse* house, std::string place) -> async::Task<bool> {
        co_await async::sleep_for(std::chrono::milliseconds(300));
        std::ofstream(place) << "The shuttle carries the weft.";
        for (int i = 0; i < 200; ++i) {
            co_await async::sleep_for(std::chrono::milliseconds(50));
            const auto all = co_await house->library().list("anna", {});
            if (all && !all->empty()) co_return true;
        }
        co_return false;
    };
    const auto both = [](WatchedFolder* folder, DocumentHouse* house, std::string place, auto run,
                         auto watch) -> async::Task<bool> {
        using namespace boost::asio::experimental::awaitable_operators;
        auto first = co_await (run(folder) || watch(house, std::move(place)));
        co_return first.index() == 1 && std::get<1>(first);
    };
    EXPECT_TRUE(house_->runtime().run(
        both(watched_.get(), house_.get(), folder_ + "/new.txt", follow, look)));
    settle();
}

TEST_F(WatchedFolderTest, AFolderMustBeThere) {
    const auto opened = WatchedFolder::open(house_->database(), house_->library(),
                                            house_->runtime().workers(), {.folder = "/nowhere"});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().param(), "watch");
}

}  // namespace
}  // namespace heddle::service
