// Archives and XML, true and lying: nothing is read past its bounds, and no few bytes become many.
#include <gtest/gtest.h>

#include "ingest/package/part_path.h"
#include "ingest/package/xml.h"
#include "ingest/package/zip_archive.h"
#include "ingest/package/zip_testing.h"

namespace heddle::ingest::package {
namespace {

using sandbox::Failure;

TEST(ZipArchive, ReadsStoredAndDeflatedFiles) {
    const std::string bytes =
        ZipBuilder::build({{.name = "a.txt", .text = "warp", .deflated = false},
                           {.name = "b/c.txt", .text = std::string(100'000, 'w')}});
    auto archive = ZipArchive::open(bytes);
    ASSERT_TRUE(archive);
    EXPECT_TRUE(archive->contains("a.txt"));
    EXPECT_EQ(archive->read("a.txt").value(), "warp");
    EXPECT_EQ(archive->read("b/c.txt").value(), std::string(100'000, 'w'));
    EXPECT_EQ(archive->read("missing").error(), Failure::kDamaged);
}

TEST(ZipArchive, RefusesBombsByWhatTheyClaimAndByWhatTheyAre) {
    const std::string large(8U << 20, 'x');
    const std::string honest = ZipBuilder::build({{.name = "bomb", .text = large}});
    auto archive = ZipArchive::open(honest);
    ASSERT_TRUE(archive);
    EXPECT_EQ(archive->read("bomb").error(), Failure::kUnpacksTooFar);

    // Says that it is small, and is not: nothing past the claim is unpacked.
    const std::string lying =
        ZipBuilder::build({{.name = "bomb", .text = large, .claimed_bytes = 1000}});
    archive = ZipArchive::open(lying);
    ASSERT_TRUE(archive);
    EXPECT_EQ(archive->read("bomb").error(), Failure::kDamaged);

    // The same file again and again counts again and again.
    std::string varied;
    for (std::uint32_t i = 0; i < 300'000; ++i)
        varied += static_cast<char>((i * 2654435761U) >> 24);
    const std::string many = ZipBuilder::build({{.name = "part", .text = varied}});
    archive = ZipArchive::open(many, {.total_bytes = 700'000});
    ASSERT_TRUE(archive);
    EXPECT_TRUE(archive->read("part"));
    EXPECT_TRUE(archive->read("part"));
    EXPECT_EQ(archive->read("part").error(), Failure::kUnpacksTooFar);
}

TEST(ZipArchive, RefusesWhatIsDamagedOrEncrypted) {
    const std::string whole =
        ZipBuilder::build({{.name = "a", .text = "warp and weft, warp and weft"}});
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
        auto cut = ZipArchive::open(std::string_view(whole).substr(0, bytes));
        EXPECT_FALSE(cut) << bytes;
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string broken = whole;
        broken[i] = static_cast<char>(broken[i] ^ 0x55);
        auto archive = ZipArchive::open(broken);
        if (!archive) continue;
        const auto text = archive->read("a");
        if (text) EXPECT_EQ(*text, "warp and weft, warp and weft") << i;
    }
    const std::string locked = ZipBuilder::build({{.name = "a", .text = "warp", .flags = 1}});
    EXPECT_EQ(ZipArchive::open(locked).error(), Failure::kEncrypted);
    const std::string many = ZipBuilder::build({{.name = "a"}, {.name = "b"}, {.name = "c"}});
    EXPECT_EQ(ZipArchive::open(many, {.entries = 2}).error(), Failure::kTooComplex);
}

TEST(PartPath, IsResolvedInsideTheArchive) {
    EXPECT_EQ(resolve_part("OEBPS/text/a.xhtml", "../images/p%201.png#x"), "OEBPS/images/p 1.png");
    EXPECT_EQ(resolve_part("word/document.xml", "styles.xml"), "word/styles.xml");
    EXPECT_EQ(resolve_part("a/b", "/word/document.xml"), "word/document.xml");
    EXPECT_EQ(resolve_part("a", "../../../etc/passwd"), "etc/passwd");
    EXPECT_EQ(resolve_part("", "%2e%2e/x%zz"), "x%zz");
}

class Transcript final : public XmlHandler {
public:
    void begin(const XmlElement& element) override {
        text_ += "<" + std::string(element.name().local);
        if (!element.attribute("val").empty()) text_ += "=" + std::string(element.attribute("val"));
        text_ += ">";
    }
    void text(std::string_view utf8) override { text_ += utf8; }
    void end(XmlName name) override { text_ += "</" + std::string(name.local) + ">"; }
    std::string text_;
};

std::pair<bool, std::string> transcript(std::string_view xml) {
    Transcript handler;
    const bool whole = parse_xml(xml, handler);
    return {whole, handler.text_};
}

TEST(Xml, IsReadByLocalNames) {
    const auto [whole, text] =
        transcript("<?xml version='1.0'?><w:p xmlns:w='urn:w'><w:t w:val='1'>a &lt; b</w:t></w:p>");
    EXPECT_TRUE(whole);
    EXPECT_EQ(text, "<p><t=1>a < b</t></p>");
}

TEST(Xml, NothingIsExpandedOrFetched) {
    const char* laughs = "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;&x;'>]><a>&y;&y;</a>";
    EXPECT_EQ(transcript(laughs), std::pair(false, std::string()));
    const char* outside = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>";
    EXPECT_EQ(transcript(outside), std::pair(false, std::string()));
    // A type that only names its grammar is harmless.
    EXPECT_EQ(transcript("<!DOCTYPE a SYSTEM 'a.dtd'><a>warp</a>"),
              std::pair(true, std::string("<a>warp</a>")));
}

TEST(Xml, DepthAndFormAreChecked) {
    std::string deep;
    for (int i = 0; i < 5'000; ++i) deep += "<a>";
    EXPECT_FALSE(transcript(deep).first);
    EXPECT_FALSE(transcript("<a><b></a>").first);
    EXPECT_FALSE(transcript("").first);
}

class Thrower final : public XmlHandler {
public:
    void begin(const XmlElement&) override { throw std::bad_alloc(); }
    void text(std::string_view) override {}
    void end(XmlName) override {}
};

TEST(Xml, ExceptionsComeThrough) {
    Thrower handler;
    EXPECT_THROW((void)parse_xml("<a/>", handler), std::bad_alloc);
}

}  // namespace
}  // namespace heddle::ingest::package
