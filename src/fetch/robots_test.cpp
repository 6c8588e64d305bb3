#include "fetch/robots.h"

#include <gtest/gtest.h>

namespace heddle::fetch {
namespace {

bool allowed(std::string_view robots, std::string_view target) {
    return RobotsRules::parse(robots, "FooBot").check(target).allowed;
}

// The cases of RFC 9309 and of the examples in its text.
TEST(Robots, AllowsWhatNobodyForbids) {
    EXPECT_TRUE(allowed("", "/x"));
    EXPECT_TRUE(allowed("user-agent: FooBot\ndisallow:\n", "/x"));
    EXPECT_TRUE(allowed("foo: FooBot\nbar: /\n", "/x"));
    EXPECT_TRUE(allowed("disallow: /\n", "/x"));
    EXPECT_TRUE(allowed("user-agent: *\ndisallow: /\n", "/robots.txt"));
}

TEST(Robots, ReadsGroups) {
    const char* groups =
        "allow: /foo/bar/\n\nuser-agent: FooBot\ndisallow: /\nallow: /x/\n"
        "user-agent: BarBot\ndisallow: /\nallow: /y/\n\n\nallow: /w/\nuser-agent: BazBot\n\n"
        "user-agent: FooBot\nallow: /z/\ndisallow: /\n";
    EXPECT_TRUE(allowed(groups, "/x/b"));
    EXPECT_TRUE(allowed(groups, "/z/d"));
    EXPECT_FALSE(allowed(groups, "/y/c"));
    EXPECT_FALSE(allowed(groups, "/foo/bar/"));
    EXPECT_FALSE(allowed("user-agent: BarBot\nuser-agent: FooBot\ndisallow: /a\n", "/a"));
    EXPECT_FALSE(allowed("user-agent: FooBot\nsitemap: x\nuser-agent: BarBot\ndisallow: /a", "/a"));
}

TEST(Robots, KnowsItsNameWithoutCase) {
    EXPECT_FALSE(allowed("USER-AGENT: FOOBOT\nDISALLOW: /\n", "/x"));
    EXPECT_FALSE(allowed("user-agent: foobot/2.1\ndisallow: /\n", "/x"));
    EXPECT_TRUE(allowed("user-agent: FooBotNews\ndisallow: /\n", "/x"));
    EXPECT_FALSE(allowed("user-agent: *\ndisallow: /\n", "/x"));
    EXPECT_FALSE(allowed("user-agent: * bar\ndisallow: /\n", "/x"));
    // A group of our own replaces that for everyone.
    EXPECT_TRUE(allowed("user-agent: *\ndisallow: /\nuser-agent: FooBot\nallow: /\n", "/x"));
    EXPECT_TRUE(allowed("user-agent: *\ndisallow: /\nuser-agent: FooBot\n", "/x"));
}

TEST(Robots, TheLongestRuleDecidesAndAllowsOnATie) {
    EXPECT_FALSE(
        allowed("user-agent: FooBot\ndisallow: /x/page.html\nallow: /x/\n", "/x/page.html"));
    EXPECT_TRUE(
        allowed("user-agent: FooBot\nallow: /x/page.html\ndisallow: /x/\n", "/x/page.html"));
    EXPECT_FALSE(allowed("user-agent: FooBot\nallow: /x/page.html\ndisallow: /x/\n", "/x/"));
    EXPECT_TRUE(allowed("user-agent: FooBot\ndisallow: /x\nallow: /x\n", "/x"));
    EXPECT_TRUE(allowed("user-agent: FooBot\nallow: /p\ndisallow: /\n", "/page"));
    EXPECT_FALSE(allowed("user-agent: FooBot\nallow: /folder\ndisallow: /folder/\n", "/folder/a"));
    EXPECT_TRUE(allowed("user-agent: FooBot\nallow: /page\ndisallow: /*.html\n", "/page"));
    EXPECT_FALSE(allowed("user-agent: FooBot\nallow: /page\ndisallow: /*.html\n", "/page.html"));
    EXPECT_FALSE(allowed("user-agent: FooBot\nallow: /$\ndisallow: /\n", "/page.html"));
    EXPECT_TRUE(allowed("user-agent: FooBot\nallow: /$\ndisallow: /\n", "/"));
}

TEST(Robots, MatchesPathsWithCaseAndWildcards) {
    EXPECT_TRUE(allowed("user-agent: FooBot\ndisallow: /X/\n", "/x/y"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /x/\n", "/x/y"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: *.gif$\n", "/a/b.gif"));
    EXPECT_TRUE(allowed("user-agent: FooBot\ndisallow: *.gif$\n", "/a/b.gif?x"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /foo/bar/*/baz\n", "/foo/bar/quz/baz"));
    EXPECT_TRUE(allowed("user-agent: FooBot\ndisallow: /foo/bar/*/baz\n", "/foo/bar/quz"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /*?\n", "/a?b"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /foo # comment\n", "/foo"));
}

TEST(Robots, ComparesEncodedPathsByWhatTheyMean) {
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /foo/bar/ツ\n", "/foo/bar/%E3%83%84"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /foo/%62%61%72\n", "/foo/bar"));
    EXPECT_FALSE(allowed("user-agent: FooBot\ndisallow: /foo/bar\n", "/foo/%62%61%72"));
    EXPECT_TRUE(allowed("user-agent: FooBot\ndisallow: /a%2Fb\n", "/a/b"));
}

TEST(Robots, ReadsOddFiles) {
    EXPECT_FALSE(allowed("\xEF\xBB\xBFuser-agent: FooBot\r\ndisallow: /\r\n", "/x"));
    EXPECT_FALSE(allowed("user-agent: FooBot\rdisallow: /\r", "/x"));
    EXPECT_FALSE(allowed("  user-agent :FooBot\n\tdisallow\t:\t/\n", "/x"));
    EXPECT_TRUE(allowed("<html>404</html>", "/x"));
    std::string stars = "user-agent: FooBot\ndisallow: /";
    for (int i = 0; i < 1000; ++i) stars += "*a";
    EXPECT_TRUE(allowed(stars + "b\n", "/" + std::string(2000, 'a')));
    EXPECT_TRUE(
        allowed(std::string(kRobotsBytesMax, ' ') + "\nuser-agent: *\ndisallow: /\n", "/x"));
}

TEST(Robots, NamesTheRuleThatRefused) {
    const auto verdict =
        RobotsRules::parse("user-agent: *\ndisallow: /private\n", "Heddle").check("/private/x");
    EXPECT_FALSE(verdict.allowed);
    EXPECT_EQ(verdict.rule, "Disallow: /private");
    EXPECT_FALSE(RobotsRules::nothing().check("/").allowed);
}

}  // namespace
}  // namespace heddle::fetch
