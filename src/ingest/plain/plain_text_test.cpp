#include "ingest/plain/plain_text.h"

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "ingest/parser_testing.h"

namespace heddle::ingest::plain {
namespace {

std::vector<std::pair<BlockKind, std::string>> blocks(std::string_view text, Dialect dialect) {
    std::vector<std::pair<BlockKind, std::string>> out;
    for (const Block& block : read_blocks(text, dialect)) out.emplace_back(block.kind, block.text);
    return out;
}

using Blocks = std::vector<std::pair<BlockKind, std::string>>;

TEST(PlainText, PartsParagraphsAtEmptyLines) {
    EXPECT_EQ(blocks("\xEF\xBB\xBFThe warp\r\nis long.\r\n\r\n  \n# The weft\x01 is short.",
                     Dialect::kPlain),
              (Blocks{{BlockKind::kParagraph, "The warp is long."},
                      {BlockKind::kParagraph, "# The weft is short."}}));
}

TEST(PlainText, FindsTheStructureOfMarkdown) {
    const char* text =
        "# Looms #\n\nA text\nof two lines.\n\nWeaves\n------\n- plain\n- twill\n  goes on\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```c\n# no heading\n\tint x;\n```\n#hashtag\n";
    EXPECT_EQ(blocks(text, Dialect::kMarkdown),
              (Blocks{{BlockKind::kHeading, "Looms"},
                      {BlockKind::kParagraph, "A text of two lines."},
                      {BlockKind::kHeading, "Weaves"},
                      {BlockKind::kListItem, "- plain"},
                      {BlockKind::kListItem, "- twill goes on"},
                      {BlockKind::kTableRow, "| a | b |"},
                      {BlockKind::kTableRow, "| 1 | 2 |"},
                      {BlockKind::kCode, "# no heading\n\tint x;"},
                      {BlockKind::kParagraph, "#hashtag"}}));
    EXPECT_EQ(read_blocks(text, Dialect::kMarkdown)[2].level, 2);
}

TEST(PlainText, IsReadBehindTheWalls) {
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    Parser parser(testing_parser_config(), runtime.workers());
    const auto document = runtime.run(parser.parse_bytes("# Looms\n\nThe warp.", "markdown"));
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(document->title, "Looms");
    EXPECT_EQ(document->blocks.size(), 2U);
    EXPECT_TRUE(document->pages.empty());
    const auto empty = runtime.run(parser.parse_bytes(" \n", "text"));
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().reason(), "empty");
}

}  // namespace
}  // namespace heddle::ingest::plain
