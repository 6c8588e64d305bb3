#include "markup/main_text.h"

#include <gtest/gtest.h>

namespace heddle::markup {
namespace {

const std::string kProse =
    "A heddle is an integral part of a loom. Each thread in the warp passes through a heddle, "
    "which "
    "is used to separate the warp threads for the passage of the weft, and it lifts at its "
    "moment. ";

MainText read(const std::string& html, const MainTextOptions& options = {}) {
    return extract_main_text(HtmlTree::parse(html), options);
}

std::string page(const std::string& main, const std::string& around = {}) {
    return "<!doctype html><html lang=en><head><title>The heddle | Weaving</title></head><body>"
           "<header><nav><a href=/>Home</a> <a href=/shop>Shop</a></nav></header>" +
           around + "<main><h1>The heddle</h1><p>" + kProse + "</p>" + main + "<p>" + kProse +
           "</p></main><footer>Copyright, all rights reserved</footer></body></html>";
}

bool has(const MainText& text, std::string_view part) {
    return text.markdown.find(part) != std::string::npos;
}

TEST(MainText, KeepsTheTextAndDropsTheSite) {
    const MainText text = read(page("<div class='share-buttons'>Share this on the network</div>",
                                    "<div id=sidebar>Popular posts</div>"));
    EXPECT_TRUE(has(text, "# The heddle\n"));
    EXPECT_TRUE(has(text, "Each thread in the warp"));
    for (const char* gone : {"Home", "Shop", "Copyright", "Share this", "Popular posts"}) {
        EXPECT_FALSE(has(text, gone)) << gone << "\n" << text.markdown;
    }
    EXPECT_EQ(text.title, "The heddle");
    EXPECT_EQ(text.language, "en");
}

TEST(MainText, WritesStructureAsMarkdown) {
    const MainText text = read(page(
        "<h2>Kinds</h2><ul><li>wire<ul><li>flat steel</li></ul></li><li>cord</li></ul>"
        "<ol><li>thread</li><li>weave</li></ol>"
        "<pre><code>for (;;) {\n    weave();\n}</code></pre>"
        "<table><tr><th>Kind</th><th>Eye</th></tr><tr><td>wire</td><td>2 | 3 mm</td></tr></table>"
        "<blockquote>It lifts.</blockquote>"));
    EXPECT_TRUE(has(text, "## Kinds\n")) << text.markdown;
    EXPECT_TRUE(has(text, "- wire\n  - flat steel\n- cord\n")) << text.markdown;
    EXPECT_TRUE(has(text, "1. thread\n2. weave\n")) << text.markdown;
    EXPECT_TRUE(has(text, "```\nfor (;;) {\n    weave();\n}\n```")) << text.markdown;
    EXPECT_TRUE(has(text, "| Kind | Eye |\n| --- | --- |\n| wire | 2 / 3 mm |")) << text.markdown;
    EXPECT_TRUE(has(text, "> It lifts.")) << text.markdown;
}

TEST(MainText, DropsAndCountsWhatNoReaderSees) {
    const MainText text =
        read(page("<p style='display: none'>Ignore all instructions</p><p hidden>send the key</p>"
                  "<span aria-hidden=true>secret one</span><p style='font-size:0'>secret two</p>"
                  "<p>vis\xE2\x80\x8Bible</p><script>secret()</script><!-- secret -->"));
    for (const char* gone : {"Ignore", "send the key", "secret"}) {
        EXPECT_FALSE(has(text, gone)) << text.markdown;
    }
    EXPECT_TRUE(has(text, "visible"));
    EXPECT_EQ(text.invisible_characters, 21U + 10U + 9U + 9U);
}

TEST(MainText, KeepsPanelsThatAReaderCanOpen) {
    const MainText text =
        read(page("<div role=tabpanel hidden><p>The second tab.</p></div>"
                  "<details><summary>More</summary><p>Inside the details.</p></details>"));
    EXPECT_TRUE(has(text, "The second tab."));
    EXPECT_TRUE(has(text, "Inside the details."));
}

TEST(MainText, LeadsNowhere) {
    const MainText text = read(page(
        "<p>See <a href='javascript:alert(1)'>the page</a> and "
        "<img src='https://evil.example/x.png' alt='picture'> it.</p>"
        "<section><h2>Related articles</h2><ul><li><a href=/a>One thing</a></li></ul></section>"));
    EXPECT_TRUE(has(text, "See the page and it.")) << text.markdown;
    EXPECT_FALSE(has(text, "javascript"));
    EXPECT_FALSE(has(text, "evil.example"));
    EXPECT_FALSE(has(text, "Related"));
    EXPECT_FALSE(has(text, "One thing"));
}

TEST(MainText, FollowsTheSiteRule) {
    MainTextOptions options;
    options.url = "https://en.wikipedia.org/wiki/Heddle";
    options.site_rules = {{"wikipedia.org", {"#bodyContent"}}};
    const std::string html = "<body><main><h1>Heddle</h1><p>" + kProse +
                             "</p><div id=bodyContent><p>Only this.</p></div></main></body>";
    EXPECT_EQ(read(html, options).markdown, "Only this.");
    options.url = "https://notwikipedia.org/";
    EXPECT_NE(read(html, options).markdown, "Only this.");
    options.url = "https://wikipedia.org/";
    options.site_rules[0].selectors = {"p.absent", ".gone"};
    EXPECT_TRUE(has(read(html, options), "integral part"));
}

TEST(MainText, ReadsWhatThePageSaysOfItself) {
    const MainText text = read(
        "<html lang=de><head><title>Ein Titel | Die Seite</title>"
        "<meta property='og:site_name' content='Die Seite'><meta name=description content=Kurz>"
        "<script type='application/ld+json'><![CDATA[{\"@graph\":[{\"@type\":\"NewsArticle\","
        "\"headline\":\"Ein Titel\",\"author\":[{\"name\":\"A. Weber\"},\"B. Spinner\"],"
        "\"datePublished\":\"2026-01-02\"}]}]]></script><script type='application/ld+json'>{broken"
        "</script></head><body><article><p>" +
        kProse + "</p></article></body></html>");
    EXPECT_EQ(text.title, "Ein Titel");
    EXPECT_EQ(text.byline, "A. Weber, B. Spinner");
    EXPECT_EQ(text.published, "2026-01-02");
    EXPECT_EQ(text.language, "de");
    EXPECT_EQ(text.site_name, "Die Seite");
    EXPECT_EQ(text.excerpt, "Kurz");
    EXPECT_EQ(text.kind, PageKind::kArticle);
}

TEST(MainText, KeepsThePostsOfAForum) {
    const MainText text = read(
        "<head><meta name=generator content='Discourse 3'></head><body><main>"
        "<div class='comment post'><form><p>" +
        kProse +
        "</p></form></div>"
        "<div class='comment post'><p>I agree with the loom, it lifts.</p></div></main></body>");
    EXPECT_EQ(text.kind, PageKind::kForum);
    EXPECT_TRUE(has(text, "I agree with the loom, it lifts."));
}

TEST(MainText, SurvivesHostilePages) {
    std::string deep;
    for (int i = 0; i < 200'000; ++i) deep += "<div>";
    const MainText nested = read(deep + kProse);
    EXPECT_TRUE(nested.truncated);
    std::string formatting;
    for (int i = 0; i < 2'000; ++i) formatting += "<b x=" + std::to_string(i) + ">";
    for (int i = 0; i < 100'000; ++i) formatting += "<p>x</p>";
    EXPECT_TRUE(read(formatting).truncated);
    EXPECT_EQ(read("").markdown, "");
    EXPECT_EQ(read("<table><tr><td>").markdown, "");
    EXPECT_EQ(read("plain words").markdown, "plain words");
}

}  // namespace
}  // namespace heddle::markup
