// Pages as pictures, painted by the real process behind its walls.
#include "ingest/page_painter.h"

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "ingest/parser_testing.h"
#include "ingest/pdf/pdf_testing.h"
#include "ingest/sandbox/picture_wire.h"

namespace heddle::ingest {
namespace {

using pdf::show;
using pdf::write_pdf;

class PagePainterTest : public testing::Test {
protected:
    Result<Picture> paint(const std::string& bytes, std::uint32_t page, std::uint32_t width) {
        return runtime_.run(painter_.paint_bytes(bytes, page, width));
    }
    static std::string two_pages() {
        pdf::TestPdf file;
        file.pages.push_back({.content = show(72, 700, 24, "The warp")});
        file.pages.push_back({.content = show(72, 100, 24, "The weft")});
        return write_pdf(file);
    }
    // Dark pixels inside a box in points.
    static std::size_t ink(const Picture& picture, Box box) {
        const float scale = static_cast<float>(picture.width) / picture.page_width;
        std::size_t count = 0;
        for (std::uint32_t y = 0; y < picture.height; ++y) {
            for (std::uint32_t x = 0; x < picture.width; ++x) {
                const float px = static_cast<float>(x) / scale;
                const float py = static_cast<float>(y) / scale;
                const bool inside =
                    px >= box.left && px < box.right && py >= box.top && py < box.bottom;
                const auto value = static_cast<unsigned char>(
                    picture.rgb[(std::size_t{y} * picture.width + x) * 3]);
                count += inside && value < 128;
            }
        }
        return count;
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    PagePainter painter_{testing_parser_config(), {.pixels_max = 400'000}, runtime_.workers()};
};

TEST_F(PagePainterTest, ThePageAskedForIsPainted) {
    const auto first = paint(two_pages(), 1, 300);
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_EQ(first->width, 300U);
    EXPECT_NEAR(static_cast<double>(first->height), 300 * 792.0 / 612.0, 2);
    EXPECT_FLOAT_EQ(first->page_width, 612);
    const Box top{60, 60, 300, 120};
    const Box bottom{60, 660, 300, 720};
    EXPECT_GT(ink(*first, top), 50U);
    EXPECT_EQ(ink(*first, bottom), 0U);
    const auto second = paint(two_pages(), 2, 300);
    ASSERT_TRUE(second);
    EXPECT_EQ(ink(*second, top), 0U);
    EXPECT_GT(ink(*second, bottom), 50U);
}

TEST_F(PagePainterTest, PixelsAreCapped) {
    const auto picture = paint(two_pages(), 1, 2400);
    ASSERT_TRUE(picture) << picture.error().message();
    EXPECT_LE(std::uint64_t{picture->width} * picture->height, 400'000U);
    EXPECT_GE(std::uint64_t{picture->width} * picture->height, 390'000U);
}

TEST_F(PagePainterTest, WhatCannotBePaintedHasAReason) {
    EXPECT_EQ(paint(two_pages(), 3, 300).error().code(), ErrorCode::kNotFound);
    EXPECT_EQ(paint("no file at all", 1, 300).error().reason(), "damaged");
}

TEST_F(PagePainterTest, AMarkerTurnsPaperYellowAndLeavesInk) {
    auto picture = paint(two_pages(), 1, 300);
    ASSERT_TRUE(picture);
    const Box box{60, 60, 300, 120};
    const std::size_t before = ink(*picture, box);
    const Box outside{-50, -50, 10, 10};
    const std::vector<Box> boxes = {box, box, outside};
    mark_boxes(*picture, boxes);
    EXPECT_EQ(ink(*picture, box), before);
    const std::size_t at = (std::size_t{32} * picture->width + 140) * 3;  // paper inside the box
    EXPECT_EQ(static_cast<unsigned char>(picture->rgb[at]), 255);
    EXPECT_LT(static_cast<unsigned char>(picture->rgb[at + 2]), 120);
}

TEST(Png, HasItsChunks) {
    Picture grey{.width = 2, .height = 1, .page_width = 2, .rgb = std::string(6, '\x40')};
    const std::string png = encode_png(grey);
    EXPECT_TRUE(png.starts_with("\x89PNG\r\n\x1A\n"));
    EXPECT_EQ(png.substr(12, 4), "IHDR");
    EXPECT_EQ(png[25], 0) << "grey";
    EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
    grey.rgb[0] = '\x7F';
    EXPECT_EQ(encode_png(grey)[25], 2) << "colour";
}

TEST(PictureWire, BelievesNothing) {
    const auto feed = [](std::string bytes) {
        sandbox::PictureReader reader({}, 100);
        return reader.feed(bytes).has_value();
    };
    const auto header = [](std::uint8_t failure, std::uint32_t width, std::uint32_t height) {
        std::string bytes(4, '\0');
        bytes += static_cast<char>(failure);
        for (const std::uint32_t value : {width, height, 0x42000000U}) {
            for (int shift = 0; shift < 32; shift += 8)
                bytes += static_cast<char>((value >> shift) & 0xFF);
        }
        return bytes;
    };
    EXPECT_TRUE(feed(header(0, 10, 10)));
    EXPECT_TRUE(feed(header(0, 10, 10) + std::string(300, 'x')));
    EXPECT_FALSE(feed(header(0, 10, 10) + std::string(301, 'x')));
    EXPECT_FALSE(feed(header(0, 11, 10))) << "past the cap";
    EXPECT_FALSE(feed(header(0, 0x10000, 0x10000))) << "past every cap";
    EXPECT_FALSE(feed(header(0, 0, 10)));
    EXPECT_FALSE(feed(header(1, 0, 0))) << "a failure is an error";
    EXPECT_FALSE(feed(header(200, 0, 0))) << "an unknown one too";
}

}  // namespace
}  // namespace heddle::ingest
