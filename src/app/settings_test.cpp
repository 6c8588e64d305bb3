// Every way of setting something ends in the same Config, and what is wrong is named.
#include "app/settings.h"

#include <cstdio>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

namespace heddle::app {
namespace {

std::string file_with(const std::string& text) {
    const std::string path = testing::TempDir() + "heddle_settings_test.toml";
    std::ofstream(path) << text;
    return path;
}

TEST(Settings, NamesAreUnique) {
    std::set<std::string> names;
    for (const Setting& setting : settings()) EXPECT_TRUE(names.insert(setting.name).second);
}

TEST(Settings, FileFillsTheConfig) {
    Config config;
    const auto applied = apply_file(config, file_with("listen = \"127.0.0.1:9\"\n"
                                                      "upload-max = \"1GiB\"\n"
                                                      "fetch-allow = [\"a.test\", \"b.test:81\"]\n"
                                                      "upload-types = [\"pdf,md\", \"txt\"]\n"
                                                      "site-selector = [\"a.test=#text\"]\n"
                                                      "passages = 5\ndemo = true\ndrain = \"2s\"\n"
                                                      "score-threshold = 0.25\n"));
    ASSERT_TRUE(applied) << applied.error().message();
    EXPECT_EQ(config.listen, "127.0.0.1:9");
    EXPECT_EQ(config.upload_bytes_max, 1u << 30);
    EXPECT_EQ(config.fetch_allow, (std::vector<std::string>{"a.test", "b.test:81"}));
    EXPECT_EQ(config.upload_types, (std::vector<std::string>{"pdf", "markdown", "text"}));
    ASSERT_EQ(config.site_rules.size(), 1u);
    EXPECT_EQ(config.site_rules[0].selectors, std::vector<std::string>{"#text"});
    EXPECT_EQ(config.passages, 5u);
    EXPECT_TRUE(config.demo);
    EXPECT_EQ(config.drain, std::chrono::seconds(2));
    EXPECT_DOUBLE_EQ(*config.score_threshold, 0.25);
}

TEST(Settings, FileErrorsNameLineAndKey) {
    for (const char* bad : {"\nlisten = 1 2\n", "\nlissten = \"x\"\n", "\npassages = \"many\"\n",
                            "\npassages = 0\n", "\nlisten = [\"a\"]\n", "\nbackend = \"tpu\"\n",
                            "\nupload-types = [\"exe\"]\n", "\nsite-selector = [\"a.test\"]\n",
                            "\n[listen]\na = 1\n", "\nupload-max = \"99999999999GiB\"\n"}) {
        Config config;
        const auto applied = apply_file(config, file_with(bad));
        ASSERT_FALSE(applied) << bad;
        EXPECT_NE(applied.error().message().find(":2:"), std::string::npos)
            << applied.error().message();
    }
}

TEST(Settings, EnvironmentOverridesTheFileAndRefusesTheUnknown) {
    Config config;
    config.fetch_allow = {"from.file"};
    std::string good[] = {"PATH=/bin", "HEDDLE_FETCH_ALLOW=a.test,b.test", "HEDDLE_IO_THREADS=3"};
    char* entries[] = {good[0].data(), good[1].data(), good[2].data(), nullptr};
    ASSERT_TRUE(apply_environment(config, entries));
    EXPECT_EQ(config.fetch_allow, (std::vector<std::string>{"a.test", "b.test"}));
    EXPECT_EQ(config.io_threads, 3u);

    std::string bad = "HEDDLE_LISTNE=127.0.0.1:1";
    char* wrong[] = {bad.data(), nullptr};
    const auto applied = apply_environment(config, wrong);
    ASSERT_FALSE(applied);
    EXPECT_NE(applied.error().message().find("HEDDLE_LISTNE"), std::string::npos);
}

TEST(Settings, SizesAndTimes) {
    EXPECT_EQ(*parse_bytes("50MiB"), 50u << 20);
    EXPECT_EQ(*parse_bytes("7"), 7u);
    EXPECT_FALSE(parse_bytes("MiB"));
    EXPECT_FALSE(parse_bytes("-1MiB"));
    EXPECT_FALSE(parse_bytes("1 MiB"));
    EXPECT_EQ(*parse_duration("500ms"), std::chrono::milliseconds(500));
    EXPECT_FALSE(parse_duration("5"));
    EXPECT_FALSE(parse_duration("5d"));
}

TEST(Listen, IsParsedAndKnowsLoopback) {
    EXPECT_TRUE(parse_listen("127.0.0.1:8000")->loopback());
    EXPECT_TRUE(parse_listen("[::1]:0")->loopback());
    EXPECT_TRUE(parse_listen("localhost:80")->loopback());
    EXPECT_FALSE(parse_listen(":8000")->loopback());
    EXPECT_FALSE(parse_listen("192.168.1.2:8000")->loopback());
    for (const char* bad : {"", "8000", "host:", "host:99999", "::1:80", "a:b"})
        EXPECT_FALSE(parse_listen(bad)) << bad;
}

}  // namespace
}  // namespace heddle::app
