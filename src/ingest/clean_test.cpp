#include "ingest/clean.h"

#include <gtest/gtest.h>

namespace heddle::ingest {
namespace {

TEST(Clean, BringsCharactersToOneForm) {
    EXPECT_EQ(clean_line("  a\tb \n c\xC2\xA0 d "), "a b c d");
    EXPECT_EQ(clean_line("e\xEF\xAC\x83 ciency of \xEF\xAC\x81re"), "effi ciency of fire");
    EXPECT_EQ(clean_line("soft\xC2\xADhyphen and zero\xE2\x80\x8Bwidth"),
              "softhyphen and zerowidth");
    EXPECT_EQ(clean_line("\xEF\x82\xB7 item \x01\x7F"), "• item");
    EXPECT_EQ(clean_line("tag\xF3\xA0\x81\x81smuggled"), "tagsmuggled");
    EXPECT_EQ(clean_line("bad \xFF\xFE bytes"), "bad bytes");
}

TEST(Clean, ShortensDotLeaders) {
    EXPECT_EQ(clean_line("Index . . . . . . . 12"), "Index … 12");
    EXPECT_EQ(clean_line("Index........12"), "Index …12");
    EXPECT_EQ(clean_line("Wait... what?"), "Wait... what?");
}

TEST(Clean, DoesWhatTheChapterDoes) {
    EXPECT_EQ(clean_as_chapter("a  b\n\nc"), "a b c");
    EXPECT_EQ(clean_as_chapter("one. , two"), "one two");
    EXPECT_EQ(clean_as_chapter("end.. of. . it"), "end. of. it");
}

}  // namespace
}  // namespace heddle::ingest
