// Documents from their upload to their end, with the real parser process, queue and search.
#include "service/document_library.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "ingest/pdf/pdf_testing.h"
#include "service/document_house_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::service {
namespace {

using ingest::pdf::show;
using ingest::pdf::TestPdf;
using ingest::pdf::write_pdf;

std::string pdf_of(std::initializer_list<std::string> pages) {
    TestPdf pdf;
    for (const std::string& page : pages) pdf.pages.push_back({.content = show(72, 700, 12, page)});
    return write_pdf(pdf);
}

class DocumentLibraryTest : public testing::Test {
protected:
    void open(DocumentHouse::Options options = {}) {
        house_.reset();
        house_ = std::make_unique<DocumentHouse>(scratch_.path(), std::move(options));
    }
    void SetUp() override { open(); }

    DocumentInfo add(const std::string& name, const std::string& bytes) {
        const auto outcome = house_->upload("anna", name, bytes);
        EXPECT_TRUE(outcome) << outcome.error().message();
        const auto info = house_->finished("anna", outcome->document.id);
        EXPECT_TRUE(info) << info.error().message();
        return *info;
    }
    template <class T>
    T run(async::Task<T> task) {
        return house_->runtime().run(std::move(task));
    }
    DocumentLibrary& library() { return house_->library(); }
    // Stored files. What a document no longer needs goes soon after its row has changed.
    [[nodiscard]] std::size_t files(std::size_t expected) const {
        for (int i = 0; i < 200 && count_files() != expected; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return count_files();
    }
    [[nodiscard]] std::size_t count_files() const {
        std::size_t count = 0;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(scratch_.path() + "/uploads"))
            count += entry.is_regular_file();
        return count;
    }

    storage::Scratch scratch_;
    std::unique_ptr<DocumentHouse> house_;
};

TEST_F(DocumentLibraryTest, AnUploadBecomesSearchable) {
    const DocumentInfo info = add(
        "looms.pdf", pdf_of({"The warp is held under tension.", "The weft goes over and under."}));
    EXPECT_EQ(info.state, DocumentState::kReady);
    EXPECT_EQ(info.pages, 2U);
    EXPECT_GE(info.chunks, 1U);
    EXPECT_EQ(info.sha256.size(), 64U);
    EXPECT_EQ(house_->find("anna", "weft goes over").at(0), info.id);
    EXPECT_TRUE(house_->find("bert", "weft goes over").empty());

    const auto chunks = run(library().chunks("anna", info.id, 0, 10));
    ASSERT_TRUE(chunks);
    ASSERT_EQ(chunks->size(), info.chunks);
    EXPECT_EQ(chunks->front().page_start, 1U);
    EXPECT_EQ(chunks->back().page_end, 2U);
    ASSERT_FALSE(chunks->front().boxes.empty());
    EXPECT_NEAR(chunks->front().boxes[0].left, 72, 3);
}

TEST_F(DocumentLibraryTest, KindsOfFilesAreAcceptedByTypeNameAndBytes) {
    open({.config = {.formats = {"pdf", "text", "markdown", "csv"}}});
    const auto state_of = [&](const std::string& name, const std::string& type,
                              const std::string& bytes) -> std::string {
        const auto outcome = house_->upload("anna", name, bytes, type);
        return outcome ? outcome->document.content_type : outcome.error().message();
    };
    const std::string refused = "Only uploading PDF, TEXT, MARKDOWN, CSV documents are supported";
    EXPECT_EQ(state_of("a.txt", "text/plain; charset=utf-8", "The warp."), "text/plain");
    EXPECT_EQ(state_of("a.md", "text/plain", "# The warp"), "text/markdown");
    EXPECT_EQ(state_of("b.md", "application/octet-stream", "# The weft"), "text/markdown");
    EXPECT_EQ(state_of("a.csv", "application/vnd.ms-excel", "a,b\n1,2"), "text/csv");
    EXPECT_EQ(state_of("a.html", "text/html", "<p>The warp"), refused);
    EXPECT_EQ(state_of("a.html", "text/plain", "<p>The weft"), "text/plain");
    EXPECT_EQ(state_of("a.txt", "text/plain", std::string("\0binary", 7)), refused);
    EXPECT_EQ(state_of("a.pdf", "application/octet-stream", pdf_of({"The warp."})), refused);
}

TEST_F(DocumentLibraryTest, TheOriginalFileComesBack) {
    const std::string bytes = pdf_of({"The warp is held under tension."});
    const DocumentInfo info = add("looms.pdf", bytes);
    const auto file = run(library().open_file("anna", info.id));
    ASSERT_TRUE(file);
    EXPECT_EQ((*file)->document().name, "looms.pdf");
    EXPECT_EQ(run((*file)->read(0, 1 << 20)).value(), bytes);
    EXPECT_EQ(run((*file)->read(bytes.size() - 4, 100)).value(), bytes.substr(bytes.size() - 4));
}

TEST_F(DocumentLibraryTest, OnlyPdfIsTakenByTypeAndByContent) {
    const char* kMessage = "Only uploading PDF documents are supported";
    for (const auto& [type, bytes] :
         {std::pair("text/plain", pdf_of({"A text of a few words."})),
          std::pair("application/pdf", std::string()),
          std::pair("application/pdf", std::string("plain text")),
          std::pair("application/pdf", std::string(5000, ' ') + pdf_of({"Too late for this."}))}) {
        const auto outcome = house_->upload("anna", "x.pdf", bytes, type);
        ASSERT_FALSE(outcome) << type;
        EXPECT_EQ(outcome.error().code(), ErrorCode::kInvalidArgument);
        EXPECT_EQ(outcome.error().message(), kMessage);
    }
    EXPECT_TRUE(house_->upload("anna", "x.pdf", pdf_of({"A text of a few words."}),
                               "application/pdf; x=y"));
    EXPECT_EQ(house_->count("SELECT COUNT(*) FROM documents"), 1);
}

TEST_F(DocumentLibraryTest, TooLargeAFileLeavesNothing) {
    open({.config = {.upload_bytes_max = 2000}});
    const auto outcome = house_->upload("anna", "big.pdf", pdf_of({"A"}) + std::string(4000, ' '));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::kTooLarge);
    EXPECT_EQ(files(0), 0U);
}

TEST_F(DocumentLibraryTest, WhatCannotBeReadFailsWithItsReason) {
    const DocumentInfo broken = add("broken.pdf", "%PDF-1.7\nnothing more");
    EXPECT_EQ(broken.state, DocumentState::kFailed);
    EXPECT_EQ(broken.error, "the file is damaged or not of its declared type");
    EXPECT_FALSE(broken.retryable);
    const DocumentInfo scan =
        add("scan.pdf", write_pdf({.pages = {{.content = "0 0 1 rg 0 0 600 700 re f"}}}));
    EXPECT_EQ(scan.state, DocumentState::kFailed);
    EXPECT_NE(scan.error.find("OCR"), std::string::npos);
    EXPECT_EQ(house_->count("SELECT COUNT(*) FROM search_documents"), 0);
}

TEST_F(DocumentLibraryTest, DeletingLeavesNothing) {
    const DocumentInfo info = add("looms.pdf", pdf_of({"The warp is held under tension."}));
    EXPECT_FALSE(run(library().remove("bert", info.id)));
    ASSERT_TRUE(run(library().remove("anna", info.id)));
    for (const char* table : {"documents", "search_documents", "search_chunks", "search_vectors"})
        EXPECT_EQ(house_->count(fmt::format("SELECT COUNT(*) FROM {}", table)), 0) << table;
    EXPECT_EQ(files(0), 0U);
    EXPECT_TRUE(house_->find("anna", "warp").empty());
    const auto again = run(library().remove("anna", info.id));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::kNotFound);
    // Its bytes may come again.
    EXPECT_EQ(add("looms.pdf", pdf_of({"The warp is held under tension."})).state,
              DocumentState::kReady);
}

TEST_F(DocumentLibraryTest, DeletingWorksInTheQueue) {
    open({.work = false});
    const auto outcome = house_->upload("anna", "looms.pdf", pdf_of({"The warp is long."}));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->document.state, DocumentState::kQueued);
    ASSERT_TRUE(run(library().remove("anna", outcome->document.id)));
    open();
    EXPECT_EQ(house_->count("SELECT COUNT(*) FROM documents"), 0);
    EXPECT_EQ(files(0), 0U);
}

TEST_F(DocumentLibraryTest, TheSameBytesAreRecognised) {
    const std::string bytes = pdf_of({"The warp is held under tension."});
    const DocumentInfo first = add("looms.pdf", bytes);
    const auto again = house_->upload("anna", "copy.pdf", bytes);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->existing);
    EXPECT_EQ(again->document.id, first.id);
    EXPECT_EQ(files(1), 1U);
    const auto other = house_->upload("bert", "looms.pdf", bytes);
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->existing);
}

TEST_F(DocumentLibraryTest, AFailedDocumentIsTriedAgainByUploadingIt) {
    const std::string bytes = "%PDF-1.7\nnothing more";
    const DocumentInfo broken = add("broken.pdf", bytes);
    const auto again = house_->upload("anna", "broken.pdf", bytes);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->document.id, broken.id);
    EXPECT_EQ(again->document.state, DocumentState::kQueued);
    EXPECT_EQ(house_->finished("anna", broken.id)->state, DocumentState::kFailed);
    EXPECT_EQ(files(1), 1U);
}

TEST_F(DocumentLibraryTest, AChangedFileReplacesTheOldOneWhenItIsReady) {
    const DocumentInfo old = add("plan.pdf", pdf_of({"The meeting is on Monday morning."}));
    const DocumentInfo broken = add("plan.pdf", "%PDF-1.7\nnothing more");
    EXPECT_EQ(broken.state, DocumentState::kFailed);
    EXPECT_EQ(house_->find("anna", "meeting Monday").at(0), old.id);
    const DocumentInfo next = add("plan.pdf", pdf_of({"The meeting is on Friday evening."}));
    EXPECT_EQ(next.state, DocumentState::kReady);
    const auto all = run(library().list("anna", {}));
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 1U);
    EXPECT_EQ(all->front().id, next.id);
    EXPECT_EQ(house_->find("anna", "meeting"), std::vector<std::string>{next.id});
    EXPECT_EQ(files(1), 1U);
}

TEST_F(DocumentLibraryTest, ARestartGoesOnWithWhatWaited) {
    open({.work = false});
    const auto outcome = house_->upload("anna", "looms.pdf", pdf_of({"The warp is long."}));
    ASSERT_TRUE(outcome);
    open();
    const auto info = house_->finished("anna", outcome->document.id);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->state, DocumentState::kReady);
}

TEST_F(DocumentLibraryTest, ListsNewestFirstInPages) {
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(
            add(fmt::format("{}.pdf", i), pdf_of({fmt::format("The text of number {}.", i)})).id);
    const auto first = run(library().list("anna", {.limit = 2}));
    ASSERT_EQ(first->size(), 2U);
    EXPECT_EQ(first->at(0).id, ids[4]);
    const auto rest = run(library().list("anna", {.after = first->at(1).id}));
    ASSERT_EQ(rest->size(), 3U);
    EXPECT_EQ(rest->at(2).id, ids[0]);
    EXPECT_TRUE(run(library().list("bert", {}))->empty());
    EXPECT_TRUE(run(library().list("anna", {.state = DocumentState::kFailed}))->empty());
}

TEST_F(DocumentLibraryTest, WithoutAnEmbedderUploadsAreRefused) {
    open({.embedder = nullptr});
    const auto outcome = house_->upload("anna", "looms.pdf", pdf_of({"The warp is long."}));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::kUnavailable);
}

TEST_F(DocumentLibraryTest, NamesAreDataOnly) {
    const auto outcome =
        house_->upload("anna", "../../etc/\x01pass\nwd\xFF", pdf_of({"The warp is long."}));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->document.name, "../../etc/pass wd");
    EXPECT_EQ(house_->upload("anna", "", pdf_of({"Another text."}))->document.name, "untitled");
}

}  // namespace
}  // namespace heddle::service
