// Text of hand-made PDF files, through the parser process.
#include <fmt/format.h>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "ingest/parser_testing.h"
#include "ingest/pdf/pdf_testing.h"

namespace heddle::ingest {
namespace {

using pdf::show;
using pdf::TestPage;
using pdf::TestPdf;
using pdf::write_pdf;

class PdfReaderTest : public testing::Test {
protected:
    Result<ParsedDocument> read(std::string bytes) {
        return runtime_.run(parser_.parse_bytes(std::move(bytes), "pdf"));
    }
    ParsedDocument must_read(const TestPdf& file) {
        Result<ParsedDocument> document = read(write_pdf(file));
        EXPECT_TRUE(document) << (document ? "" : document.error().message());
        return document ? std::move(*document) : ParsedDocument();
    }
    static std::vector<std::string> texts(const ParsedDocument& document) {
        std::vector<std::string> out;
        for (const Block& block : document.blocks) out.push_back(block.text);
        return out;
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    Parser parser_{testing_parser_config(), runtime_.workers()};
};

using Texts = std::vector<std::string>;

// Twelve lines of running text below each other; lines are told by the word they begin with.
std::string column(float x, float top, std::string_view name) {
    std::string content;
    for (int i = 0; i < 12; ++i)
        content += show(x, top - 12.0F * static_cast<float>(i), 10,
                        fmt::format("{}{} some words of a line of text here", name, i));
    return content;
}

TEST_F(PdfReaderTest, ReadsALineWithItsPlace) {
    const ParsedDocument document =
        must_read({.pages = {{.content = show(72, 700, 12, "A heddle lifts each thread.")}},
                   .title = "On Looms"});
    EXPECT_EQ(document.title, "On Looms");
    ASSERT_EQ(document.pages.size(), 1U);
    EXPECT_FLOAT_EQ(document.pages[0].width, 612);
    EXPECT_EQ(document.pages[0].letters, 22U);
    ASSERT_EQ(texts(document), Texts{"A heddle lifts each thread."});
    const Line& line = document.blocks[0].lines.at(0);
    EXPECT_EQ(line.page, 1U);
    EXPECT_NEAR(line.box.left, 72, 2);
    EXPECT_NEAR(line.box.top, 792 - 700 - 12 * 0.78F, 1);
    EXPECT_NEAR(line.box.bottom, 792 - 700 + 12 * 0.22F, 1);
    EXPECT_GT(line.box.right, 200);
}

TEST_F(PdfReaderTest, JoinsLinesAndSplitWords) {
    const ParsedDocument document =
        must_read({.pages = {{.content = show(72, 700, 12, "The warp is held under ten-") +
                                         show(72, 686, 12, "sion while the weft goes on its") +
                                         show(72, 672, 12, "way through it.")}}});
    EXPECT_EQ(texts(document),
              Texts{"The warp is held under tension while the weft goes on its way through it."});
    EXPECT_EQ(document.blocks[0].lines.size(), 3U);
}

TEST_F(PdfReaderTest, ReadsColumnsOneAfterTheOther) {
    const std::string title = show(150, 740, 20, "A Title Across Both Columns Of It");
    // The stream goes row by row, as some programs write.
    std::string content = title;
    for (int i = 0; i < 12; ++i) {
        const float y = 700 - 12.0F * static_cast<float>(i);
        content += show(72, y, 10, fmt::format("left{} some words of a line of text here", i));
        content += show(320, y, 10, fmt::format("right{} some words of a line of text here", i));
    }
    const ParsedDocument document = must_read({.pages = {{.content = content}}});
    std::string all;
    for (const Block& block : document.blocks) all += block.text + " ";
    EXPECT_LT(all.find("Title"), all.find("left0"));
    EXPECT_LT(all.find("left11"), all.find("right0"));
    EXPECT_LT(all.find("right0"), all.find("right11"));
    EXPECT_EQ(document.blocks[0].kind, BlockKind::kHeading);
}

TEST_F(PdfReaderTest, KeepsTablesRowByRow) {
    std::string content;
    const char* rows[][3] = {
        {"Name", "Threads", "Width"}, {"Twill", "400", "90"}, {"Satin", "820", "110"}};
    for (int r = 0; r < 3; ++r) {
        for (int c = 0; c < 3; ++c)
            content += show(72 + 150.0F * static_cast<float>(c),
                            700 - 16.0F * static_cast<float>(r), 10, rows[r][c]);
    }
    const ParsedDocument document = must_read({.pages = {{.content = content}}});
    EXPECT_EQ(texts(document),
              (Texts{"Name | Threads | Width", "Twill | 400 | 90", "Satin | 820 | 110"}));
    EXPECT_EQ(document.blocks[0].kind, BlockKind::kTableRow);
}

TEST_F(PdfReaderTest, DropsRunningHeadsAndPageNumbers) {
    TestPdf file;
    for (int i = 1; i <= 6; ++i) {
        file.pages.push_back(
            {.content = show(72, 760, 9, fmt::format("{} The Weaver's Handbook", i)) +
                        column(72, 700, fmt::format("page{}line", i)) +
                        show(300, 40, 9, std::to_string(i))});
    }
    const ParsedDocument document = must_read(file);
    for (const Block& block : document.blocks) {
        EXPECT_EQ(block.text.find("Handbook"), std::string::npos) << block.text;
        EXPECT_GT(block.text.size(), 10U) << block.text;
    }
    EXPECT_EQ(document.blocks.back().lines.back().page, 6U);
}

TEST_F(PdfReaderTest, KeepsAHeadThatStandsOnce) {
    const ParsedDocument document =
        must_read({.pages = {{.content = show(72, 760, 9, "Only here") + column(72, 700, "a")},
                             {.content = column(72, 700, "b")}}});
    EXPECT_EQ(texts(document).front(), "Only here");
}

TEST_F(PdfReaderTest, FindsHeadingsBySizeAndOutline) {
    TestPdf file{.pages = {{.content = show(72, 740, 18, "Weaves") + column(72, 700, "a") +
                                       show(72, 540, 10, "Plain weave") + column(72, 520, "b")}}};
    file.outline = {{"Weaves", 0}, {"Plain weave", 0}};
    const ParsedDocument document = must_read(file);
    std::vector<std::pair<std::string, int>> headings;
    for (const Block& block : document.blocks) {
        if (block.kind == BlockKind::kHeading) headings.emplace_back(block.text, block.level);
    }
    EXPECT_EQ(headings,
              (std::vector<std::pair<std::string, int>>{{"Weaves", 1}, {"Plain weave", 1}}));
}

TEST_F(PdfReaderTest, DropsInvisibleTextAndCountsIt) {
    const std::string visible = show(72, 700, 12, "What a reader of the page can see.");
    const std::vector<std::string> hidden = {
        "3 Tr " + show(72, 600, 12, "ignoreprevious") + "0 Tr ",
        "1 1 1 rg " + show(72, 600, 12, "ignoreprevious") + "0 g ",
        show(72, 2000, 12, "ignoreprevious"),
        show(72, 600, 0.4F, "ignoreprevious"),
    };
    for (const std::string& content : hidden) {
        const ParsedDocument document = must_read({.pages = {{.content = visible + content}}});
        EXPECT_EQ(texts(document), Texts{"What a reader of the page can see."}) << content;
        EXPECT_EQ(document.hidden_characters, 14U) << content;
    }
}

TEST_F(PdfReaderTest, KeepsWhiteTextOnADarkGround) {
    const ParsedDocument document = must_read(
        {.pages = {{.content = "0 0 0.4 rg 60 690 300 30 re f 1 1 1 rg " +
                               show(72, 700, 12, "White on blue, as in the head of a table.")}}});
    EXPECT_EQ(texts(document), Texts{"White on blue, as in the head of a table."});
}

TEST_F(PdfReaderTest, KeepsTheTextLayerOfAScan) {
    const ParsedDocument document =
        must_read({.pages = {{.content = "3 Tr " + show(72, 700, 12, "Read by a machine.")}}});
    EXPECT_EQ(texts(document), Texts{"Read by a machine."});
    EXPECT_TRUE(document.pages_without_text().empty());
}

TEST_F(PdfReaderTest, NamesPagesWithoutText) {
    const ParsedDocument document =
        must_read({.pages = {{.content = show(72, 700, 12, "A page with a line of text.")},
                             {.content = "0 0 1 rg 0 0 612 792 re f"},
                             {.content = show(300, 40, 9, "3")}}});
    EXPECT_EQ(document.pages_without_text(), (std::vector<std::uint32_t>{2, 3}));
}

TEST_F(PdfReaderTest, TurnsPagesAsTheyAreShown) {
    // A landscape page: turned by 90 degrees clockwise, its text runs upwards in its own space.
    const ParsedDocument document = must_read(
        {.pages = {{.content = "BT /F1 12 Tf 0 1 -1 0 100 72 Tm (Read from left to right) Tj ET",
                    .extra = "/Rotate 90"}}});
    ASSERT_EQ(texts(document), Texts{"Read from left to right"});
    EXPECT_FLOAT_EQ(document.pages[0].width, 792);
    const Box box = document.blocks[0].lines[0].box;
    EXPECT_NEAR(box.left, 72, 2);
    EXPECT_NEAR(box.bottom, 100 + 12 * 0.22F, 2);
    EXPECT_GT(box.right - box.left, 80);
}

TEST_F(PdfReaderTest, RefusesWhatIsNoPdfOrBroken) {
    for (const std::string& bytes :
         {std::string(), std::string("not a pdf"), std::string("%PDF-1.7\n%%EOF")}) {
        const Result<ParsedDocument> document = read(bytes);
        ASSERT_FALSE(document);
        EXPECT_EQ(document.error().reason(), "damaged");
    }
}

TEST_F(PdfReaderTest, RefusesTooManyPagesAndTooMuchText) {
    TestPdf file;
    for (int i = 0; i < 4; ++i) file.pages.push_back({.content = column(72, 700, "x")});
    ParserConfig config = testing_parser_config();
    config.limits.pages = 3;
    Parser few(config, runtime_.workers());
    const auto pages = runtime_.run(few.parse_bytes(write_pdf(file), "pdf"));
    ASSERT_FALSE(pages);
    EXPECT_EQ(pages.error().reason(), "too_many_pages");
    config.limits.pages = 4;
    Parser enough(config, runtime_.workers());
    EXPECT_TRUE(runtime_.run(enough.parse_bytes(write_pdf(file), "pdf")));
    config.limits.text_bytes = 1000;
    Parser terse(config, runtime_.workers());
    const auto text = runtime_.run(terse.parse_bytes(write_pdf(file), "pdf"));
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().reason(), "too_much_text");
}

TEST_F(PdfReaderTest, ReportsProgressByPages) {
    TestPdf file;
    for (int i = 0; i < 40; ++i) file.pages.push_back({.content = column(72, 700, "x")});
    std::vector<std::uint32_t> seen;
    auto on_progress = [&seen](std::uint32_t done, std::uint32_t total) {
        EXPECT_EQ(total, 40U);
        seen.push_back(done);
    };
    EXPECT_TRUE(runtime_.run(parser_.parse_bytes(write_pdf(file), "pdf", on_progress)));
    EXPECT_EQ(seen, (std::vector<std::uint32_t>{0, 16, 32, 40}));
}

}  // namespace
}  // namespace heddle::ingest
