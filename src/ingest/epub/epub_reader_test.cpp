#include "ingest/epub/epub_reader.h"

#include <gtest/gtest.h>

#include "ingest/formats_testing.h"
#include "ingest/package/zip_testing.h"

namespace heddle::ingest::epub {
namespace {

using package::ZipFile;

std::string chapter(const std::string& body) {
    return "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head>"
           "<body>" +
           body + "</body></html>";
}

std::string book(std::vector<ZipFile> more = {}) {
    std::vector<ZipFile> files = {
        {.name = "mimetype", .text = "application/epub+zip", .deflated = false},
        {.name = "META-INF/container.xml",
         .text = "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles>"
                 "</container>"},
        {.name = "OPS/book.opf",
         .text = "<package xmlns:dc='urn:dc'><metadata><dc:title>The loom</dc:title></metadata>"
                 "<manifest><item id='a' href='one.xhtml' media-type='application/xhtml+xml'/>"
                 "<item id='b' href='text/two%20.xhtml' media-type='application/xhtml+xml'/>"
                 "<item id='c' href='c.png' media-type='image/png'/></manifest>"
                 "<spine><itemref idref='b'/><itemref idref='c'/><itemref idref='a'/>"
                 "<itemref idref='missing'/></spine></package>"},
        {.name = "OPS/one.xhtml", .text = chapter("<h2>Weft</h2><p>Second.</p>")},
        {.name = "OPS/text/two .xhtml", .text = chapter("<h2>Warp</h2><a id='x'/><p>First.</p>")}};
    for (ZipFile& file : more) files.push_back(std::move(file));
    return package::ZipBuilder::build(files);
}

TEST(Epub, IsReadInTheOrderOfTheSpine) {
    ReadingHouse house;
    const auto document = house.read(book(), "epub");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(document->title, "The loom");
    EXPECT_EQ(blocks_of(*document), (Blocks{{BlockKind::kHeading, "Warp"},
                                            {BlockKind::kParagraph, "First."},
                                            {BlockKind::kHeading, "Weft"},
                                            {BlockKind::kParagraph, "Second."}}));
}

TEST(Epub, RefusesWithAReason) {
    ReadingHouse house;
    const auto listing = [](const std::string& name) {
        return std::vector<ZipFile>{{.name = "META-INF/encryption.xml",
                                     .text = "<e><CipherReference URI='" + name + "'/></e>"}};
    };
    EXPECT_EQ(house.refusal(book(listing("OPS/one.xhtml")), "epub"), "encrypted");
    EXPECT_EQ(house.refusal(book(listing("OPS/font.otf")), "epub"), "");
    EXPECT_EQ(house.refusal(package::ZipBuilder::build({{.name = "mimetype"}}), "epub"), "damaged");
}

TEST(Epub, EndTagsAreAdded) {
    EXPECT_EQ(with_end_tags("<title/><br/><a b='/>'/>x<!-- <p/> --><p />"),
              "<title></title><br/><a b='/>'></a>x<!-- <p/> --><p ></p>");
    EXPECT_EQ(with_end_tags("<svg:path d=\"M0\"/></p><"), "<svg:path d=\"M0\"></svg:path></p><");
    EXPECT_EQ(with_end_tags("a < b <!-- open"), "a < b <!-- open");
}

}  // namespace
}  // namespace heddle::ingest::epub
