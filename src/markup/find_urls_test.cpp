#include "markup/find_urls.h"

#include <charconv>

#include <gtest/gtest.h>

#include "markup/eval_data_testing.h"
#include "text/utf8.h"

namespace heddle::markup {
namespace {

using Strings = std::vector<std::string>;

Strings found_in(std::string_view text, FindUrlOptions options = {}) {
    Strings out;
    for (const FoundUrl& url : find_urls(text, options)) {
        out.emplace_back(text.substr(url.begin, url.end - url.begin));
    }
    return out;
}

Strings hrefs(std::string_view prompt, std::size_t count_max = 10) {
    Strings out;
    for (const Url& url : urls_of_prompt(prompt, count_max)) out.push_back(url.href());
    return out;
}

TEST(FindUrls, ReadsPromptsAsPeopleWriteThem) {
    EXPECT_EQ(hrefs("What does https://example.com/a say?"), Strings{"https://example.com/a"});
    EXPECT_EQ(hrefs("Compare (http://a.example/x_(y)) and <http://b.example>."),
              (Strings{"http://a.example/x_(y)", "http://b.example/"}));
    EXPECT_EQ(hrefs("[the docs](https://docs.example/p?q=1), please"),
              Strings{"https://docs.example/p?q=1"});
    EXPECT_EQ(hrefs("**https://a.example/b**"), Strings{"https://a.example/b**"});
    EXPECT_EQ(hrefs("看看https://example.com/abc，谢谢"), Strings{"https://example.com/abc"});
    EXPECT_EQ(hrefs("https://example.com/日本語 を要約"), Strings{"https://example.com/"});
    EXPECT_EQ(hrefs("https://Bücher.example/ä"), Strings{"https://xn--bcher-kva.example/%C3%A4"});
    EXPECT_EQ(hrefs("see example.com and ftp://example.com and mail a@example.com"), Strings{});
    EXPECT_EQ(hrefs("http://a.example/#1 http://a.example/#2 http://A.example/"),
              Strings{"http://a.example/#1"});
    EXPECT_EQ(hrefs("http://a.example http://b.example http://c.example", 2).size(), 2U);
}

// Would take minutes if any rule were quadratic; the limit of the test run catches it.
TEST(FindUrls, IsLinearInHostileText) {
    const FindUrlOptions prose{UrlConvention::kProse, true, true};
    const FindUrlOptions posts{UrlConvention::kPosts, true, false};
    std::string brackets;
    for (int i = 0; i < 20'000; ++i) brackets += "http://a(";
    std::string mail;
    for (int i = 0; i < 30'000; ++i) mail += "mailto:";
    for (const std::string& text :
         {brackets, mail, std::string(300'000, '.') + "mailto:", std::string(300'000, 'a') + ".com",
          std::string("http://\xFF")}) {
        for (const FindUrlOptions& options : {prose, posts}) {
            for (const FoundUrl& url : find_urls(text, options)) EXPECT_LT(url.begin, url.end);
        }
    }
}

std::string without_comment(const std::string& line) {
    const auto comment = line.find(" %");
    const auto slashes = line.find(" // ");
    std::string text = line.substr(0, std::min(comment, slashes));
    while (text.ends_with(' ')) text.pop_back();
    return text;
}

// linkify-it's fixtures: a line, and below it what is found in it (or nothing: all of it).
TEST(FindUrls, FollowsLinkify) {
    HEDDLE_NEEDS_EVAL_DATA("url/linkify-it");
    const FindUrlOptions options{UrlConvention::kProse, true, true};
    int run = 0;
    Strings wrong;
    Strings lines{""};
    std::istringstream in(read_file(eval_data("url/linkify-it/test/fixtures/links.txt")));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    lines.emplace_back();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty() || lines[i].starts_with('%')) continue;
        const std::string text = without_comment(lines[i]);
        const bool pair =
            i + 1 < lines.size() && !lines[i + 1].empty() && !lines[i + 1].starts_with('%');
        const std::string wanted = pair ? lines[i + 1] : text;
        if (pair) ++i;
        ++run;
        const Strings found = found_in(text, options);
        if (found.empty() || found[0] != wanted) {
            wrong.push_back(text + " → " + (found.empty() ? "nothing" : found[0]));
        }
    }
    std::istringstream not_links(
        read_file(eval_data("url/linkify-it/test/fixtures/not_links.txt")));
    for (std::string line; std::getline(not_links, line);) {
        if (line.empty() || line.starts_with('%')) continue;
        ++run;
        const Strings found = found_in(without_comment(line), options);
        if (!found.empty()) wrong.push_back("not a link: " + line + " → " + found[0]);
    }
    EXPECT_GE(run, 155);
    EXPECT_TRUE(wrong.empty()) << wrong.size() << " of " << run << "\n"
                               << testing::PrintToString(wrong);
}

// Just enough YAML for extract.yml: text and expected are JSON strings and lists.
std::string unescaped(std::string_view quoted) {
    std::string out;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if (quoted[i] != '\\' || i + 1 >= quoted.size()) {
            out += quoted[i];
            continue;
        }
        const char escape = quoted[++i];
        const std::size_t digits = escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
        if (digits > 0 && i + digits < quoted.size()) {
            unsigned code = 0;
            const char* hex = quoted.data() + i + 1;
            std::from_chars(hex, hex + digits, code, 16);
            text::append_utf8(out, static_cast<char32_t>(code));
            i += digits;
        } else {
            out += escape == 'n' ? '\n' : escape;
        }
    }
    return out;
}

Strings quoted_strings(const std::string& line) {
    Strings out;
    for (std::size_t at = line.find('"'); at != std::string::npos;) {
        std::size_t end = at + 1;
        while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
        out.push_back(unescaped(std::string_view(line).substr(at + 1, end - at - 1)));
        at = end + 1 < line.size() ? line.find('"', end + 1) : std::string::npos;
    }
    return out;
}

TEST(FindUrls, FollowsTwitterText) {
    HEDDLE_NEEDS_EVAL_DATA("url/twitter-text");
    const FindUrlOptions options{UrlConvention::kPosts, true, false};
    std::istringstream in(read_file(eval_data("url/twitter-text/conformance/extract.yml")));
    std::string section;
    std::string text;
    Strings wanted;
    bool open = false;
    int run = 0;
    Strings wrong;
    const auto finish = [&] {
        if (!open) return;
        open = false;
        ++run;
        const Strings found = found_in(text, options);
        if (found != wanted) wrong.push_back(text + " → " + testing::PrintToString(found));
    };
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("  ") && line.size() > 3 && line[2] != ' ' && line.ends_with(':')) {
            finish();
            section = line.substr(2, line.size() - 3);
        }
        if (!section.starts_with("urls") && section != "tco_urls_with_params") continue;
        if (line.find("- description:") != std::string::npos) finish();
        if (line.starts_with("      text: ")) {
            text = quoted_strings(line).at(0);
            wanted.clear();
            open = true;
        }
        if (line.starts_with("      expected: [")) wanted = quoted_strings(line);
        if (line.starts_with("        - url: ")) wanted.push_back(quoted_strings(line).at(0));
    }
    finish();
    EXPECT_GT(run, 95);
    EXPECT_TRUE(wrong.empty()) << wrong.size() << " of " << run << "\n"
                               << testing::PrintToString(wrong);
}

}  // namespace
}  // namespace heddle::markup
