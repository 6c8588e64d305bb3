#include "engine/text_assembler.h"

#include <gtest/gtest.h>

namespace heddle::engine {
namespace {

std::string all(TextAssembler& assembler, std::initializer_list<std::string_view> parts,
                std::string* stop = nullptr) {
    std::string text;
    for (const std::string_view part : parts) {
        TextAssembler::Piece piece = assembler.push(part);
        text += piece.text;
        if (piece.stop) {
            if (stop != nullptr) *stop = *piece.stop;
            return text;
        }
    }
    return text + assembler.finish();
}

TEST(TextAssembler, NeverSplitsACharacter) {
    TextAssembler assembler({});
    EXPECT_EQ(assembler.push("a\xE2\x82").text, "a");
    EXPECT_EQ(assembler.push("\xAC").text, "\xE2\x82\xAC");
    EXPECT_EQ(assembler.push("\xF0\x9F").text, "");
    EXPECT_EQ(assembler.finish(), "\xEF\xBF\xBD");
}

TEST(TextAssembler, FindsStopStringsAcrossTokens) {
    TextAssembler assembler({"END", "\n\n"});
    std::string stop;
    EXPECT_EQ(all(assembler, {"one E", "N", "two E", "N", "Dx"}, &stop), "one ENtwo ");
    EXPECT_EQ(stop, "END");
}

TEST(TextAssembler, TheEarliestStopWins) {
    TextAssembler assembler({"later", "b"});
    std::string stop;
    EXPECT_EQ(all(assembler, {"ab later"}, &stop), "a");
    EXPECT_EQ(stop, "b");
}

TEST(TextAssembler, HoldsBackOnlyWhatMayBecomeAStop) {
    TextAssembler assembler({"</s>"});
    EXPECT_EQ(assembler.push("x<").text, "x");
    EXPECT_EQ(assembler.push("y").text, "<y");
    EXPECT_EQ(assembler.push("</").text, "");
    EXPECT_EQ(assembler.finish(), "</");
}

TEST(TextAssembler, BeforeTheMinimumAStopIsText) {
    TextAssembler assembler({"ab"});
    EXPECT_EQ(assembler.push("ab", false).text, "ab");
    EXPECT_TRUE(assembler.push("ab").stop.has_value());
}

}  // namespace
}  // namespace heddle::engine
