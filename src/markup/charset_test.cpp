#include "markup/charset.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "markup/eval_data_testing.h"

namespace heddle::markup {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

TEST(Charset, ReadsTheContentType) {
    EXPECT_EQ(charset_of("text/html; charset=utf-8"), "utf-8");
    EXPECT_EQ(charset_of("text/html;Charset = \"Shift_JIS\"; x=y"), "Shift_JIS");
    EXPECT_EQ(charset_of("text/html"), "");
    EXPECT_EQ(charset_of("text/html; notcharset=utf-8"), "");
}

TEST(Charset, BelievesTheMarkThenTheTransportThenThePage) {
    EXPECT_EQ(decode_text("\xEF\xBB\xBFö", "latin1", true).encoding, "UTF-8");
    EXPECT_EQ(decode_text("\xEF\xBB\xBFö", "latin1", true).utf8, "ö");
    EXPECT_EQ(decode_text("<meta charset=windows-1251>\xE4", "iso-8859-1", true).utf8,
              "<meta charset=windows-1251>ä");
    EXPECT_EQ(decode_text("<meta charset=windows-1251>\xE4", "", true).utf8,
              "<meta charset=windows-1251>д");
    EXPECT_EQ(decode_text("<meta charset=windows-1251>ä", "", false).encoding, "UTF-8");
}

TEST(Charset, GuessesFromTheBytes) {
    EXPECT_EQ(decode_text("Grüße aus Köln", "", false).encoding, "UTF-8");
    EXPECT_EQ(decode_text("Gr\xFC\xDF"
                          "e aus K\xF6ln",
                          "", false)
                  .utf8,
              "Grüße aus Köln");
    // "Привет, мир" and "こんにちは世界、日本語です" as older pages wrote them.
    EXPECT_EQ(decode_text("\xCF\xF0\xE8\xE2\xE5\xF2, \xEC\xE8\xF0", "", false).encoding,
              "windows-1251");
    EXPECT_EQ(
        decode_text("\x82\xB1\x82\xF1\x82\xC9\x82\xBF\x82\xCD\x90\xA2\x8A\x45", "", false).utf8,
        "こんにちは世界");
    EXPECT_EQ(
        decode_text("\xC4\xE3\xBA\xC3\xCA\xC0\xBD\xE7\xA3\xAC\xD5\xE2\xCA\xC7\xD6\xD0\xCE\xC4", "",
                    false)
            .utf8,
        "你好世界，这是中文");
    EXPECT_EQ(decode_text(std::string("h\0i\0 \0t\0h\0e\0r\0e\0!\0", 18), "", false).utf8,
              "hi there!");
}

TEST(Charset, TellsAsianEncodingsApart) {
    EXPECT_EQ(
        decode_text("\xA4\xB3\xA4\xF3\xA4\xCB\xA4\xC1\xA4\xCF\xC0\xA4\xB3\xA6", "", false).utf8,
        "こんにちは世界");
    EXPECT_EQ(decode_text("\xBE\xC8\xB3\xE7\xC7\xCF\xBC\xBC\xBF\xE4", "", false).utf8,
              "안녕하세요");
    EXPECT_EQ(decode_text("\xA7\x41\xA6\x6E\xA1\x41\xA5\x40\xAC\xC9", "", false).utf8,
              "你好，世界");
    EXPECT_EQ(decode_text("\xF0\xD2\xC9\xD7\xC5\xD4, \xCD\xC9\xD2", "", false).utf8, "Привет, мир");
}

TEST(Charset, AlwaysGivesWellFormedText) {
    EXPECT_EQ(decode_text("a\xFF\xC3", "utf-8", false).utf8, "a\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(decode_text("", "", true).utf8, "");
    EXPECT_EQ(decode_text("x", "no-such-charset", true).utf8, "x");
    EXPECT_EQ(decode_text("x", "replacement", true).utf8, "x");
}

TEST(Charset, FindsTheEncodingsOfHtml5lib) {
    HEDDLE_NEEDS_EVAL_DATA("html/html5lib/encoding");
    int run = 0;
    std::string wrong;
    int wrong_count = 0;
    const std::string all = read_file(eval_data("html/html5lib/encoding/tests1.dat"));
    for (std::size_t at = all.find("#data\n"); at != std::string::npos;) {
        const auto encoding_at = all.find("\n#encoding\n", at);
        if (encoding_at == std::string::npos) break;
        const std::string data = all.substr(at + 6, encoding_at - at - 6);
        const auto name_at = encoding_at + 11;
        const std::string wanted = lower(all.substr(name_at, all.find('\n', name_at) - name_at));
        const std::string found = lower(decode_text(data, "", true).encoding);
        ++run;
        // Where a page says nothing the test's default is windows-1252; plain ASCII is UTF-8 to us.
        const bool same = found == wanted || (wanted == "windows-1252" && found == "utf-8");
        if (!same) {
            ++wrong_count;
            wrong += "\n---\n" + data + "\nis " + found + ", not " + wanted;
        }
        at = all.find("#data\n", name_at);
    }
    EXPECT_GE(run, 50);
    EXPECT_EQ(wrong_count, 0) << "of " << run << wrong;
}

}  // namespace
}  // namespace heddle::markup
