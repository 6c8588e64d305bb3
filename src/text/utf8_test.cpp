// UTF-8 by the standard's own examples: what is ill-formed is replaced by one U+FFFD for each
// maximal subpart, and nothing that could still become a character counts as complete.
#include "text/utf8.h"

#include <string>

#include <gtest/gtest.h>

#include "text/unicode.h"

namespace heddle::text {
namespace {

TEST(Utf8, ReplacesMaximalSubparts) {
    EXPECT_EQ(to_valid_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                            "b\x80"
                            "c\x80\xBF"
                            "d"),
              "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");           // Unicode 15, table 3-8
    EXPECT_EQ(to_valid_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
    EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
    EXPECT_EQ(to_valid_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
    EXPECT_EQ(to_valid_utf8("\xF0\x9F\x98\x80"), "\U0001F600");
}

TEST(Utf8, EncodesWhatItDecodes) {
    for (char32_t c = 0; c < 0x110000; ++c) {
        if (c >= 0xD800 && c < 0xE000) continue;
        std::string bytes;
        append_utf8(bytes, c);
        const Utf8Character read = decode_utf8(bytes, 0);
        ASSERT_TRUE(read.well_formed);
        ASSERT_EQ(read.code_point, c);
        ASSERT_EQ(read.length, bytes.size());
        ASSERT_EQ(decode_utf8_before("x" + bytes, bytes.size() + 1).code_point, c);
    }
}

TEST(Utf8, HoldsBackOnlyWhatMayStillComplete) {
    EXPECT_EQ(complete_utf8_prefix("ab"), 2u);
    EXPECT_EQ(complete_utf8_prefix("ab\xE4\xBD"), 2u);
    EXPECT_EQ(complete_utf8_prefix("ab\xF0\x9F\x98"), 2u);
    EXPECT_EQ(complete_utf8_prefix("ab\xF0\x9F\x98\x80"), 6u);
    EXPECT_EQ(complete_utf8_prefix("ab\x98\x80"), 4u);  // nothing can mend these
    EXPECT_EQ(complete_utf8_prefix("ab\xE4z"), 4u);
    EXPECT_EQ(complete_utf8_prefix("\xED\xA0"), 2u);  // no character begins so
    EXPECT_EQ(complete_utf8_prefix(""), 0u);
}

TEST(Unicode, NormalFormsOfMarksInAnyOrder) {
    EXPECT_EQ(normalized("e\u0301", NormalForm::kNfc), "\u00E9");
    EXPECT_EQ(normalized("\u00E9", NormalForm::kNfd), "e\u0301");
    EXPECT_EQ(normalized("\u1E69", NormalForm::kNfd), "s\u0323\u0307");
    EXPECT_EQ(normalized("s\u0307\u0323", NormalForm::kNfc), "\u1E69");
    EXPECT_EQ(normalized("\u1112\u1161\u11AB", NormalForm::kNfc), "\uD55C");
    EXPECT_EQ(normalized("\uFB01 \u2460", NormalForm::kNfkc), "fi 1");
    EXPECT_EQ(normalized("plain ascii", NormalForm::kNfkd), "plain ascii");
}

TEST(Unicode, PropertiesOfWellKnownCharacters) {
    EXPECT_TRUE(class_of(U'a').is_letter());
    EXPECT_TRUE(class_of(U'世').has(CharacterFlag::kHan));
    EXPECT_TRUE(class_of(0x3000).is_space());
    EXPECT_FALSE(class_of(0x200B).is_space());
    EXPECT_EQ(class_of(U'½').category(), Category::kNo);
    EXPECT_TRUE(class_of(U'½').is_number());
    EXPECT_TRUE(class_of(U'€').is_symbol());
    EXPECT_TRUE(class_of(0x301).is_mark());
    EXPECT_EQ(class_of(0x110000).category(), Category::kCn);
    std::string lower;
    append_lower(lower, 0x130);
    EXPECT_EQ(lower, "i\u0307");
}

}  // namespace
}  // namespace heddle::text
