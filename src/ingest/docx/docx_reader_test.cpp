#include <gtest/gtest.h>

#include "ingest/formats_testing.h"
#include "ingest/package/zip_testing.h"

namespace heddle::ingest::docx {
namespace {

constexpr const char* kStyles =
    "<w:styles xmlns:w='urn:w'><w:style w:styleId='H1'><w:name w:val='heading 1'/></w:style>"
    "<w:style w:styleId='Own'><w:basedOn w:val='H1'/></w:style>"
    "<w:style w:styleId='Deep'><w:pPr><w:outlineLvl w:val='2'/></w:pPr></w:style>"
    "<w:style w:styleId='L'><w:pPr><w:numPr><w:numId w:val='3'/></w:numPr></w:pPr></w:style>"
    "</w:styles>";

std::string word_file(const std::string& body, const std::string& footnotes = {}) {
    const auto part = [](const std::string& inner) {
        return "<w:document xmlns:w='urn:w' xmlns:mc='urn:mc'><w:body>" + inner +
               "</w:body></w:document>";
    };
    std::vector<package::ZipFile> files = {
        {.name = "_rels/.rels",
         .text = "<Relationships xmlns='urn:r'><Relationship Type='http://x/officeDocument' "
                 "Target='word/main.xml'/></Relationships>"},
        {.name = "docProps/core.xml",
         .text = "<c xmlns:dc='urn:dc'><dc:title>On looms</dc:title></c>"},
        {.name = "word/styles.xml", .text = kStyles},
        {.name = "word/main.xml", .text = part(body)}};
    if (!footnotes.empty())
        files.push_back({.name = "word/footnotes.xml", .text = part(footnotes)});
    return package::ZipBuilder::build(files);
}

std::string paragraph(const std::string& text, const std::string& properties = {}) {
    return "<w:p><w:pPr>" + properties + "</w:pPr><w:r><w:t>" + text + "</w:t></w:r></w:p>";
}

TEST(Docx, FindsHeadingsListsAndTables) {
    ReadingHouse house;
    const std::string table =
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Loom</w:t></w:r></w:p></w:tc><w:tc>" +
        paragraph("Width") + "</w:tc></w:tr><w:tr><w:tc>" + paragraph("Dobby") + "</w:tc><w:tc>" +
        paragraph("120") + paragraph("cm") + "</w:tc></w:tr></w:tbl>";
    const auto document = house.read(
        word_file(paragraph("Weaving", "<w:pStyle w:val='Own'/>") +
                      paragraph("Sheds", "<w:pStyle w:val='Deep'/>") +
                      "<w:p><w:r><w:t>The warp</w:t><w:tab/><w:t>is </w:t></w:r><w:hyperlink><w:r>"
                      "<w:t>long.</w:t></w:r></w:hyperlink></w:p>" +
                      paragraph("plain", "<w:pStyle w:val='L'/>") +
                      paragraph("no item",
                                "<w:pStyle w:val='L'/><w:numPr><w:numId w:val='0'/>"
                                "</w:numPr>") +
                      table,
                  "<w:footnote w:type='separator'><w:p><w:r><w:t>--</w:t></w:r></w:p></w:footnote>"
                  "<w:footnote>" +
                      paragraph("A note.") + "</w:footnote>"),
        "docx");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(document->title, "On looms");
    const Blocks expected = {{BlockKind::kHeading, "Weaving"},
                             {BlockKind::kHeading, "Sheds"},
                             {BlockKind::kParagraph, "The warp is long."},
                             {BlockKind::kListItem, "- plain"},
                             {BlockKind::kParagraph, "no item"},
                             {BlockKind::kTableRow, "Loom | Width"},
                             {BlockKind::kTableRow, "Dobby | 120 cm"},
                             {BlockKind::kParagraph, "A note."}};
    EXPECT_EQ(blocks_of(*document), expected);
    EXPECT_EQ(document->blocks[0].level, 1);
    EXPECT_EQ(document->blocks[1].level, 3);
}

TEST(Docx, LeavesOutWhatWordDoesNotShow) {
    ReadingHouse house;
    const auto run = [](const std::string& properties, const std::string& text) {
        return "<w:r><w:rPr>" + properties + "</w:rPr><w:t>" + text + "</w:t></w:r>";
    };
    const auto document = house.read(
        word_file("<w:p>" + run("<w:vanish/>", "hidden") + run("<w:vanish w:val='0'/>", "Seen ") +
                  run("<w:color w:val='FFFFFF'/>", "white") +
                  run("<w:color w:val='FFFFFF'/><w:shd w:fill='000000'/>", "on black ") +
                  "<w:del><w:r><w:delText>gone</w:delText><w:t>gone</w:t></w:r></w:del>"
                  "<w:moveFrom>" +
                  run("", "moved") +
                  "</w:moveFrom>"
                  "<w:r><mc:AlternateContent><mc:Choice><w:t>once</w:t></mc:Choice><mc:Fallback>"
                  "<w:t>twice</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"),
        "docx");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(blocks_of(*document), (Blocks{{BlockKind::kParagraph, "Seen on black once"}}));
    EXPECT_EQ(document->hidden_characters, 11U);
}

TEST(Docx, TextBoxesStandBesideTheirParagraph) {
    ReadingHouse house;
    const auto document =
        house.read(word_file("<w:p><w:r><w:t>Outside</w:t><w:txbxContent>" + paragraph("Inside") +
                             "</w:txbxContent></w:r></w:p>"),
                   "docx");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(blocks_of(*document),
              (Blocks{{BlockKind::kParagraph, "Inside"}, {BlockKind::kParagraph, "Outside"}}));
}

TEST(Docx, RefusesWithAReason) {
    ReadingHouse house;
    EXPECT_EQ(house.refusal(word_file(""), "docx"), "empty");
    EXPECT_EQ(house.refusal("PK\x03\x04 nothing", "docx"), "damaged");
    EXPECT_EQ(house.refusal(word_file("<w:p>"), "docx"), "damaged");
    const std::string old("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
    EXPECT_EQ(house.refusal(old + std::string(600, '\0'), "docx"), "damaged");
    std::string locked = old;
    for (const char c : std::string_view("EncryptedPackage")) locked += std::string{c, '\0'};
    EXPECT_EQ(house.refusal(locked, "docx"), "encrypted");
    const std::string bomb = word_file(paragraph(std::string(8U << 20, 'x')));
    EXPECT_EQ(house.refusal(bomb, "docx"), "unpacks_too_far");
}

}  // namespace
}  // namespace heddle::ingest::docx
