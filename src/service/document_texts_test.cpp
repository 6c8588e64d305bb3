// What stands around a passage, and all of its document.
#include "service/document_texts.h"

#include <gtest/gtest.h>

#include "service/document_house_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::service {
namespace {

class DocumentTextsTest : public testing::Test {
protected:
    void add(const std::string& chunker) {
        DocumentHouse::Options options;
        options.config.formats = {"markdown"};
        options.config.chunker = ingest::parse_chunker(chunker).value();
        house_ = std::make_unique<DocumentHouse>(scratch_.path(), std::move(options));
        std::string text;
        for (const char* part : {"Warp", "Weft"}) {
            text += std::string("# ") + part + "\n\n";
            for (int i = 0; i < 12; ++i)
                text += std::string("The ") + part + " sentence number " + std::to_string(i) +
                        " has some words in it. ";
            text += "\n\n";
        }
        const auto uploaded = house_->upload("anna", "loom.md", text, "text/markdown");
        ASSERT_TRUE(uploaded) << uploaded.error().message();
        const auto info = house_->finished("anna", uploaded->document.id);
        ASSERT_TRUE(info);
        ASSERT_EQ(info->state, DocumentState::kReady) << info->error;
        document_ = info->id;
    }
    GroundedText hit(std::uint32_t ordinal) {
        GroundedText text;
        text.source.document = document_;
        text.source.chunk = document_ + "." + std::to_string(ordinal);
        text.text = "the passage";
        return text;
    }
    std::vector<GroundedText> widen(std::vector<GroundedText> hits, SectionOptions options = {}) {
        return house_->runtime()
            .run(widen_to_sections(house_->collections(), "anna", "knowledgebase", std::move(hits),
                                   options))
            .value();
    }
    storage::Scratch scratch_;
    std::unique_ptr<DocumentHouse> house_;
    std::string document_;
};

TEST_F(DocumentTextsTest, AHitBecomesItsSection) {
    add("sentences:32");
    const auto texts = widen({hit(1), hit(2)});
    ASSERT_EQ(texts.size(), 1U) << "both stand in one section";
    EXPECT_EQ(texts[0].source.chunk, document_ + ".1") << "the better one is cited";
    EXPECT_NE(texts[0].text.find("Warp sentence number 0 "), std::string::npos);
    EXPECT_NE(texts[0].text.find("Warp sentence number 3 "), std::string::npos);
    EXPECT_EQ(texts[0].text.find("Weft"), std::string::npos);
    const auto bounded = widen({hit(1)}, {.bytes_max = 200});
    EXPECT_LE(bounded[0].text.size(), 204U);
    GroundedText page;
    page.text = "a web page";
    EXPECT_EQ(widen({page, hit(900)}).size(), 2U) << "what is no passage stays";
}

TEST_F(DocumentTextsTest, TheWholeDocumentComesBackOnce) {
    for (const char* chunker : {"sentences:32", "recursive:40:16"}) {
        add(chunker);
        Source source{.document = document_};
        const auto whole = house_->runtime().run(
            read_whole_document(house_->collections(), "anna", "knowledgebase", std::move(source)));
        ASSERT_TRUE(whole);
        for (int i = 0; i < 12; ++i) {
            const std::string sentence = "The Weft sentence number " + std::to_string(i) + " ";
            const std::size_t first = whole->text.find(sentence);
            ASSERT_NE(first, std::string::npos) << chunker << sentence;
            EXPECT_EQ(whole->text.find(sentence, first + 1), std::string::npos) << chunker;
        }
        ASSERT_TRUE(house_->runtime().run(house_->library().remove("anna", document_)));
        house_.reset();
    }
}

}  // namespace
}  // namespace heddle::service
