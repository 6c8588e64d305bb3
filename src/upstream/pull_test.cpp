// Pulling from a hub that behaves, drops connections, lies about lengths, ranges and hashes, and
// names paths that climb out (tests/scripted_hub.py).
#include "upstream/pull.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/ids.h"
#include "upstream/scripted_server_testing.h"

namespace heddle::upstream {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class PullTest : public testing::Test {
protected:
    static void SetUpTestSuite() { server_ = new ScriptedServer("scripted_hub.py"); }
    static void TearDownTestSuite() { delete std::exchange(server_, nullptr); }

    PullTest() : root_(fs::temp_directory_path() / ("heddle_pull_" + new_id())), store_(root_) {
        http::ClientOptions options;
        options.stall_timeout = 300ms;
        http_ = std::make_shared<http::Client>(options);
    }
    ~PullTest() override { fs::remove_all(root_); }

    Result<> pull(const std::string& name, const std::string& token = {},
                  PullOptions options = {}) {
        options.segment_bytes = 64'000;
        options.connections = 3;
        options.retry_delay = 1ms;
        HubOptions hub;
        hub.base_url = server_->url();
        hub.token = token;
        hub.retry_delay = 1ms;
        const auto client = HubClient::create(hub, http_);
        Pull pull(options, *client, store_, runtime_.workers());
        auto pulled = runtime_.run(pull.run(*parse_hub_name(name), "main", "scripted"));
        progress_ = pull.progress();
        return pulled;
    }
    std::string reason_of(const std::string& name) {
        const auto pulled = pull(name);
        EXPECT_FALSE(pulled) << name;
        return pulled ? "" : pulled.error().reason();
    }
    // The files below the store but locks and manifests.
    std::vector<std::string> found() const {
        std::vector<std::string> paths;
        for (const auto& entry : fs::recursive_directory_iterator(root_)) {
            const std::string name = entry.path().filename().string();
            if (entry.is_regular_file() && name != "pull.lock" && name != "heddle-model.json")
                paths.push_back(fs::relative(entry.path(), root_).string());
        }
        std::ranges::sort(paths);
        return paths;
    }
    bool whole(const std::string& repository) {
        const auto model = store_.open(repository);
        return model && model->files.size() == 3 && store_.verify(*model, {})->empty();
    }

    static inline ScriptedServer* server_ = nullptr;
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    std::shared_ptr<http::Client> http_;
    fs::path root_;
    ModelStore store_;
    std::vector<PullProgress> progress_;
};

TEST_F(PullTest, BringsWhatAModelNeedsAndSaysSo) {
    const auto pulled = pull("good/model");
    ASSERT_TRUE(pulled) << pulled.error().message();
    EXPECT_EQ(found(),
              (std::vector<std::string>{"good/model/config.json", "good/model/model.safetensors",
                                        "good/model/tokenizer.json"}));
    EXPECT_TRUE(whole("good/model"));
    for (const PullProgress& file : progress_) {
        EXPECT_EQ(file.state, PullState::kDone);
        EXPECT_EQ(file.done, file.bytes);
    }
    EXPECT_EQ(*store_.find("good/model"), root_ / "good/model");
    const auto listed = store_.list();
    ASSERT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->front().repository, "good/model");
    EXPECT_EQ(listed->front().files.front().revision, "0123456789abcdef0123456789abcdef01234567");
    EXPECT_TRUE(pull("good/model")) << "a second pull finds everything there";
}

TEST_F(PullTest, GoesOnWhereAConnectionWasCut) {
    for (const char* name : {"drops/model", "cuts-once/model", "stalls/model", "short/model"}) {
        const auto pulled = pull(name);
        ASSERT_TRUE(pulled) << name << ": " << pulled.error().message();
        EXPECT_TRUE(whole(name)) << name;
    }
    EXPECT_EQ(read(root_ / "drops/model/model.safetensors"),
              read(root_ / "cuts-once/model/model.safetensors"));
}

TEST_F(PullTest, WaitsForABusyHubAndReadsServersWithoutRanges) {
    for (const char* name : {"busy/model", "no-ranges/model", "paged/model"}) {
        const auto pulled = pull(name);
        ASSERT_TRUE(pulled) << name << ": " << pulled.error().message();
        EXPECT_TRUE(whole(name)) << name;
    }
}

// A pull that failed leaves whole segments; the next fetches only the rest.
TEST_F(PullTest, TakesUpWhatAnotherRunLeft) {
    ASSERT_TRUE(pull("good/model"));
    const fs::path file = root_ / "good/model/model.safetensors";
    const std::string bytes = read(file);
    const auto model = store_.open("good/model");
    const HubFile* large = nullptr;
    for (const auto& stored : model->files)
        if (!stored.file.sha256.empty()) large = &stored.file;
    ASSERT_NE(large, nullptr);
    fs::remove(file);
    std::string part = bytes;
    part.replace(64'000, 64'000, 64'000, '\0');
    std::ofstream(file.string() + ".part", std::ios::binary) << part;
    std::ofstream(file.string() + ".parts") << large->sha256 << " 300000 64000\n#.###";
    ASSERT_TRUE(pull("good/model"));
    EXPECT_EQ(read(file), bytes);
    EXPECT_EQ(found().size(), 3u) << "no parts are left";
}

TEST_F(PullTest, BelievesNoStateOfOtherContent) {
    fs::create_directories(root_ / "good/model");
    const std::string file = (root_ / "good/model/model.safetensors").string();
    std::ofstream(file + ".part", std::ios::binary) << std::string(300'000, 'x');
    std::ofstream(file + ".parts") << std::string(64, 'a') << " 300000 64000\n#####";
    ASSERT_TRUE(pull("good/model"));
    EXPECT_TRUE(whole("good/model"));
}

TEST_F(PullTest, ThrowsAwayWhatHasNotThePromisedHash) {
    EXPECT_EQ(reason_of("wrong-hash/model"), "hash_mismatch");
    EXPECT_EQ(reason_of("wrong-sha1/model"), "hash_mismatch");
    for (const std::string& path : found())
        EXPECT_FALSE(path.starts_with("wrong-hash/model/model.safetensors")) << path;
    EXPECT_FALSE(store_.open("wrong-hash/model")) << "no manifest speaks of it";
}

TEST_F(PullTest, RefusesServersThatLie) {
    EXPECT_EQ(reason_of("wrong-range/model"), "hub_lied");
    EXPECT_EQ(reason_of("wrong-total/model"), "hub_lied");
    EXPECT_EQ(reason_of("long/model"), "hub_lied");
    EXPECT_EQ(reason_of("loop/model"), "hub_malformed");
    EXPECT_EQ(reason_of("garbage/model"), "hub_malformed");
    EXPECT_EQ(reason_of("no-sha/model"), "hub_malformed");
    for (const std::string& path : found()) EXPECT_FALSE(path.ends_with(".safetensors")) << path;
}

TEST_F(PullTest, WritesNothingOutsideItsFolder) {
    for (const char* name : {"traversal/model", "absolute/model", "backslash/model"})
        EXPECT_EQ(reason_of(name), "hub_malformed") << name;
    EXPECT_FALSE(fs::exists(root_)) << "not even a folder was made";
}

TEST_F(PullTest, AsksForSpaceBeforeItFetches) {
    EXPECT_EQ(reason_of("huge/model"), "disk_full");
}

TEST_F(PullTest, ShowsItsTokenToTheHubAlone) {
    const auto without = pull("gated/model");
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().code(), ErrorCode::kUnauthenticated);
    EXPECT_EQ(pull("gated/model", "hub-no-terms").error().code(), ErrorCode::kPermissionDenied);
    const auto with = pull("gated/model", "hub-token");
    EXPECT_TRUE(with) << with.error().message() << " (the content host refuses tokens)";
}

TEST_F(PullTest, ChoosesOneFileOfMany) {
    ASSERT_TRUE(pull("gguf/model"));
    EXPECT_EQ(*store_.find("gguf/model"), root_ / "gguf/model/tiny-Q4_K_M.gguf");
    ASSERT_TRUE(pull("gguf/model:q8_0"));
    ASSERT_TRUE(pull("gguf/model:tiny-f16.gguf"));
    EXPECT_EQ(store_.open("gguf/model")->files.size(), 3u);
    EXPECT_EQ(*store_.find("gguf/model:Q8_0"), root_ / "gguf/model/tiny-Q8_0.gguf");
    EXPECT_FALSE(store_.find("gguf/model:q2"));
    const auto unclear = pull("gguf/model:tiny");
    ASSERT_FALSE(unclear);
    EXPECT_NE(unclear.error().message().find("tiny-Q8_0.gguf"), std::string::npos);
    EXPECT_EQ(pull("gguf/model:big").error().code(), ErrorCode::kUnimplemented);
    ASSERT_TRUE(pull("one-gguf/model"));
    EXPECT_EQ(*store_.find("one-gguf/model"), root_ / "one-gguf/model/only.gguf");
    EXPECT_EQ(pull("one-gguf/nothing").error().code(), ErrorCode::kNotFound);
}

TEST_F(PullTest, VerifiesAndRemoves) {
    ASSERT_TRUE(pull("good/model"));
    ASSERT_TRUE(pull("gguf/model:q8_0"));
    std::ofstream(root_ / "good/model/model.safetensors", std::ios::app) << "x";
    fs::remove(root_ / "good/model/config.json");
    EXPECT_EQ(*store_.verify(*store_.open("good/model"), {}),
              (std::vector<std::string>{"config.json is missing", "model.safetensors is damaged"}));
    ASSERT_TRUE(pull("good/model")) << "a pull mends it";
    EXPECT_TRUE(whole("good/model"));
    EXPECT_TRUE(store_.remove(*parse_hub_name("good/model")));
    EXPECT_FALSE(fs::exists(root_ / "good"));
    EXPECT_TRUE(store_.remove(*parse_hub_name("gguf/model:q8_0")));
    EXPECT_FALSE(fs::exists(root_ / "gguf/model/tiny-Q8_0.gguf"));
}

TEST_F(PullTest, TwoPullsOfOneModelDoNotMeet) {
    const auto held = store_.lock("good/model");
    ASSERT_TRUE(held);
    EXPECT_EQ(pull("good/model").error().code(), ErrorCode::kConflict);
}

TEST(HubNameTest, NamesAreCheckedBeforeTheyBecomePaths) {
    EXPECT_EQ(parse_hub_name("a/b")->repository, "a/b");
    EXPECT_EQ(parse_hub_name("a/b:sub/c.gguf")->file, "sub/c.gguf");
    for (const char* wrong : {"", "a", "/b", "a/", "a/b/c", "../b", "a/..", "a/b:", "a/b:../c",
                              "a/b:/c", "a/.b", "a b/c", "a/b:c//d", "a/b..c"})
        EXPECT_FALSE(parse_hub_name(wrong)) << wrong;
}

}  // namespace
}  // namespace heddle::upstream
