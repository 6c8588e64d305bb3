#include "ingest/csv/csv_reader.h"

#include <gtest/gtest.h>

#include "ingest/formats_testing.h"

namespace heddle::ingest::csv {
namespace {

std::vector<Row> rows(std::string_view text, char separator = ',') {
    RowReader reader(text, separator);
    std::vector<Row> out;
    Row row;
    while (reader.next(row)) out.push_back(row);
    return out;
}

TEST(Csv, ReadsQuotedFields) {
    EXPECT_EQ(
        rows("a,b\r\n\"1,5\",\"say \"\"warp\"\"\nweft\"\n,\n\"open,\nend"),
        (std::vector<Row>{{"a", "b"}, {"1,5", "say \"warp\"\nweft"}, {"", ""}, {"open,\nend"}}));
    EXPECT_EQ(rows("\"a\"b,c"), (std::vector<Row>{{"ab", "c"}}));
    EXPECT_TRUE(rows("").empty());
}

TEST(Csv, FindsTheSeparator) {
    EXPECT_EQ(find_separator("a;b;c\n1,5;2;3\n"), ';');
    EXPECT_EQ(find_separator("a\tb\n1, 2\t3\n"), '\t');
    EXPECT_EQ(find_separator("a,b\n\"x;y;z\",2\n"), ',');
    EXPECT_EQ(find_separator("one column\n"), ',');
}

TEST(Csv, KnowsAHeader) {
    EXPECT_TRUE(is_header({"Name", "Born in"}));
    EXPECT_FALSE(is_header({"Ada", "1815"}));
    EXPECT_FALSE(is_header({"Name", ""}));
    EXPECT_FALSE(is_header({"x", "x"}));
    EXPECT_FALSE(is_header({"alone"}));
}

TEST(Csv, EachRowNamesItsColumns) {
    ReadingHouse house;
    const auto document =
        house.read("\xEF\xBB\xBFLoom;Width;Note\nDobby;120 cm;\"two\nlines\"\nJacquard;;\n", "csv");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(blocks_of(*document),
              (Blocks{{BlockKind::kTableRow, "Loom: Dobby | Width: 120 cm | Note: two lines"},
                      {BlockKind::kTableRow, "Loom: Jacquard"}}));
    const auto bare = house.read("1,2\n3,4\n", "csv");
    ASSERT_TRUE(bare);
    EXPECT_EQ(blocks_of(*bare),
              (Blocks{{BlockKind::kTableRow, "1 | 2"}, {BlockKind::kTableRow, "3 | 4"}}));
    EXPECT_EQ(house.refusal("\n\n", "csv"), "empty");
}

}  // namespace
}  // namespace heddle::ingest::csv
