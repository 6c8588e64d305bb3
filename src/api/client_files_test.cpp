// The web client over HTTP: codings, tags, policy, and that all of it is there.
#include "api/client_files.h"

#include <gtest/gtest.h>

#include "api/api_testing.h"

namespace heddle::api {
namespace {

class ClientFiles : public ::testing::Test {
protected:
    ClientFiles() { EXPECT_TRUE(serve_client(api_.api(), embedded_client())); }
    // Closed by a key on purpose: the page must come without one.
    TestApi api_{{"hd-test-key-0123456789"}};

    // The address of the page's script.
    std::string script() {
        const std::string page = api_.get("/").body;
        const std::size_t begin = page.find("src=\"") + 5;
        const std::size_t end = page.find('"', begin);
        return page.substr(begin, end - begin);
    }
};

TEST_F(ClientFiles, ThePageComesWithoutAKeyAndUnderAStrictPolicy) {
    const Reply reply = api_.get("/");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.get("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(reply.headers.get("cache-control"), "no-cache");
    const std::string policy(reply.headers.get("content-security-policy"));
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
    EXPECT_NE(policy.find("require-trusted-types-for 'script'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(policy.find("http"), std::string::npos);
    EXPECT_EQ(reply.body.find("<style"), std::string::npos);
    EXPECT_EQ(reply.body.find("://"), std::string::npos) << "the page names another origin";
}

TEST_F(ClientFiles, TheScriptIsImmutableAndComesInTheCodingAskedFor) {
    const std::string address = script();
    ASSERT_FALSE(address.empty());
    const Reply plain = api_.get(address);
    EXPECT_EQ(plain.status, 200);
    EXPECT_FALSE(plain.headers.has("content-encoding"));
    EXPECT_EQ(plain.headers.get("cache-control"), "public, max-age=31536000, immutable");
    const Reply brotli = api_.get(address, {{"Accept-Encoding", "gzip, deflate, br"}});
    EXPECT_EQ(brotli.headers.get("content-encoding"), "br");
    const Reply gzip = api_.get(address, {{"Accept-Encoding", "gzip;q=0.8, br;q=0"}});
    EXPECT_EQ(gzip.headers.get("content-encoding"), "gzip");
    EXPECT_EQ(gzip.headers.get("vary"), "Accept-Encoding");
    EXPECT_LT(brotli.body.size(), gzip.body.size());
    EXPECT_LT(gzip.body.size(), plain.body.size());
    EXPECT_EQ(gzip.body.substr(0, 2), "\x1f\x8b");
}

TEST_F(ClientFiles, ATagThatIsKnownIsAnsweredWithoutABody) {
    const Reply first = api_.get("/");
    const Reply again = api_.get("/", {{"If-None-Match", std::string(first.headers.get("etag"))}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    // Another coding is another representation.
    const Reply packed = api_.get("/", {{"If-None-Match", std::string(first.headers.get("etag"))},
                                        {"Accept-Encoding", "br"}});
    EXPECT_EQ(packed.status, 200);
}

TEST_F(ClientFiles, EveryFileIsServed) {
    for (const EmbeddedFile& file : embedded_client()) {
        const std::string path(file.path == "index.html" ? "" : file.path);
        EXPECT_EQ(api_.get("/" + path).status, 200) << path;
    }
}

TEST(ChooseCoding, TakesTheBestThatIsWanted) {
    EXPECT_EQ(choose_coding("gzip, deflate, br, zstd"), "br");
    EXPECT_EQ(choose_coding("gzip"), "gzip");
    EXPECT_EQ(choose_coding("BR;q=1.0"), "br");
    EXPECT_EQ(choose_coding("br;q=0.0, gzip"), "gzip");
    EXPECT_EQ(choose_coding("identity"), "");
    EXPECT_EQ(choose_coding(""), "");
    EXPECT_EQ(choose_coding(" , ,;;q=,"), "");
}

TEST(ClientFile, DamagedContentIsRefused) {
    const auto file = ClientFile::make({"x.js", std::string_view("\x0b\x02\x80garbage", 10)});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace heddle::api
