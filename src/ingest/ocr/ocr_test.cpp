#include <unistd.h>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "ingest/ocr/page_recogniser.h"
#include "ingest/ocr/tsv.h"
#include "ingest/parser_testing.h"
#include "ingest/pdf/pdf_testing.h"

namespace heddle::ingest::ocr {
namespace {

TEST(Tsv, WordsBecomeParagraphsWithLines) {
    const char* tsv =
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_"
        "num\tleft\ttop\twidth\theight\tconf\ttext\n"
        "1\t1\t0\t0\t0\t0\t0\t0\t1700\t2200\t-1\t\n"
        "5\t1\t1\t1\t1\t1\t100\t200\t60\t20\t96.5\tThe\n"
        "5\t1\t1\t1\t1\t2\t170\t198\t80\t22\t95\twe-\n"
        "5\t1\t1\t1\t2\t1\t100\t230\t60\t20\t91\tft.\n"
        "5\t1\t1\t1\t2\t2\t170\t230\t60\t20\t12\t~#\n"
        "5\t1\t1\t2\t1\t1\t100\t300\t60\t20\t90\tWarp\n"
        "5\t1\tbroken line\n";
    const std::vector<Block> blocks = read_tsv(tsv, 3, 0.5F);
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks[0].text, "The weft.");
    EXPECT_EQ(blocks[0].page, 3U);
    ASSERT_EQ(blocks[0].lines.size(), 2U);
    EXPECT_FLOAT_EQ(blocks[0].lines[0].box.right, 125);
    EXPECT_FLOAT_EQ(blocks[0].lines[0].box.top, 99);
    EXPECT_EQ(blocks[0].lines[1].start, 6U);
    EXPECT_EQ(blocks[1].text, "Warp");
    EXPECT_TRUE(read_tsv("no table", 1, 1).empty());
}

TEST(Ocr, LanguagesAreNames) {
    EXPECT_TRUE(is_language_list("eng+chi_sim"));
    for (const char* wrong : {"", "eng -c x", "../eng", "eng;ls"})
        EXPECT_FALSE(is_language_list(wrong)) << wrong;
}

TEST(Ocr, APageThatIsAPictureIsRead) {
    OcrConfig config{.languages = "eng", .executable = HEDDLE_PARSE_TESTING};
    if (access(config.program.c_str(), X_OK) != 0)
        GTEST_SKIP() << "no tesseract (Debian package tesseract-ocr)";
    pdf::TestPdf file;
    file.pages.push_back({.content = pdf::show(72, 600, 28, "The shuttle carries the weft")});
    const std::string bytes = pdf::write_pdf(file);
    async::Runtime runtime({.io_threads = 1, .worker_threads = 2});
    PagePainter painter(testing_parser_config(), {}, runtime.workers());
    PageRecogniser recogniser(config, painter, runtime.workers());
    // As the reader leaves a scan: a page without text.
    ParsedDocument document;
    document.pages.push_back({.width = 612, .height = 792});
    const auto sealed = sandbox::seal_bytes_blocking(bytes);
    ASSERT_TRUE(sealed);
    runtime.run(recogniser.read_pages(document, sealed->get(), {}));
    ASSERT_EQ(document.blocks.size(), 1U);
    EXPECT_EQ(document.blocks[0].text, "The shuttle carries the weft");
    EXPECT_TRUE(document.pages_without_text().empty());
    const Box box = document.blocks[0].lines.at(0).box;
    EXPECT_NEAR(box.left, 72, 6);
    EXPECT_NEAR(box.bottom, 792 - 600, 10);
}

}  // namespace
}  // namespace heddle::ingest::ocr
