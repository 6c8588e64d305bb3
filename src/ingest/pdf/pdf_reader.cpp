#include "ingest/pdf/pdf_reader.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "ingest/pdf/blocks.h"
#include "ingest/pdf/outline.h"
#include "ingest/pdf/page_text.h"
#include "ingest/pdf/pdfium_library.h"
#include "ingest/pdf/reading_order.h"
#include "ingest/pdf/running_heads.h"

namespace heddle::ingest::pdf {
namespace {

using sandbox::Failure;
using sandbox::RecordWriter;

constexpr std::uint32_t kPagesPerProgress = 16;
// Annotations of a page that are looked at. Manuals have hundreds of links on a page, and asking
// for each costs a twentieth of the reading; a document with a form is looked at in full.
constexpr int kAnnotationsMax = 12;
constexpr int kFormAnnotationsMax = 10'000;
constexpr int kFlattenForDisplay = 0;

using Document = std::unique_ptr<FpdfDocument, void (*)(FpdfDocument*)>;
using LoadedPage = std::unique_ptr<FpdfPage, void (*)(FpdfPage*)>;

class PdfReader final : public FormatReader {
public:
    PdfReader(std::unique_ptr<const PdfiumLibrary> library, ParseLimits limits)
        : library_(std::move(library)), pdfium_(*library_), limits_(limits) {}

    ReadOutcome read(std::string_view bytes, RecordWriter& out) override {
        const Document document(pdfium_.load_document(bytes.data(), bytes.size(), nullptr),
                                pdfium_.close_document);
        if (!document) return tl::unexpected(why_not_loaded());
        const int count = pdfium_.page_count(document.get());
        if (count <= 0) return tl::unexpected(Failure::kEmpty);
        const auto pages = static_cast<std::uint32_t>(count);
        if (pages > limits_.pages) return tl::unexpected(Failure::kTooManyPages);
        has_form_ = pdfium_.form_type(document.get()) != 0;
        out.title(read_title(pdfium_, document.get()));
        if (ReadOutcome outcome = read_pages(document.get(), pages, out); !outcome) return outcome;
        remove_running_heads(rows_);
        const auto outline = read_outline(pdfium_, document.get(), limits_.outline_entries);
        for (const Block& block : build_blocks(rows_, outline)) out.block(block);
        out.hidden(hidden_);
        return {};
    }

private:
    [[nodiscard]] Failure why_not_loaded() const {
        const unsigned long error = pdfium_.last_error();
        const bool locked = error == kFpdfErrorPassword || error == kFpdfErrorSecurity;
        return locked ? Failure::kEncrypted : Failure::kDamaged;
    }

    ReadOutcome read_pages(FpdfDocument* document, std::uint32_t pages, RecordWriter& out) {
        std::uint64_t text_bytes = 0;
        std::uint32_t loaded = 0;
        for (std::uint32_t i = 0; i < pages; ++i) {
            if (i % kPagesPerProgress == 0) out.progress(i, pages);
            PageText page;
            if (const LoadedPage handle = load(document, static_cast<int>(i))) {
                ++loaded;
                const int objects = pdfium_.page_object_count(handle.get());
                if (objects > static_cast<int>(limits_.objects_per_page))
                    return tl::unexpected(Failure::kTooComplex);
                page = read_page(pdfium_, handle.get());
            }
            for (const Fragment& fragment : page.fragments) text_bytes += fragment.text.size();
            if (text_bytes > limits_.text_bytes) return tl::unexpected(Failure::kTooMuchText);
            out.page({page.width, page.height, page.letters});
            hidden_ += page.hidden;
            const float height = page.height;
            rows_.push_back({height, reading_order(std::move(page))});
        }
        if (loaded == 0) return tl::unexpected(Failure::kDamaged);
        out.progress(pages, pages);
        return {};
    }

    // Text of form fields and free-text notes is painted into the page first.
    [[nodiscard]] LoadedPage load(FpdfDocument* document, int index) const {
        LoadedPage page(pdfium_.load_page(document, index), pdfium_.close_page);
        if (!page || !has_written_annotations(page.get())) return page;
        if (pdfium_.flatten_page(page.get(), kFlattenForDisplay) == 0) return page;
        page.reset(pdfium_.load_page(document, index));
        return page;
    }

    [[nodiscard]] bool has_written_annotations(FpdfPage* page) const {
        const int most = has_form_ ? kFormAnnotationsMax : kAnnotationsMax;
        const int count = std::min(pdfium_.annotation_count(page), most);
        for (int i = 0; i < count; ++i) {
            FpdfAnnotation* annotation = pdfium_.annotation(page, i);
            if (annotation == nullptr) continue;
            const int type = pdfium_.annotation_type(annotation);
            pdfium_.close_annotation(annotation);
            if (type == kFpdfFreeText || type == kFpdfWidget) return true;
        }
        return false;
    }

    const std::unique_ptr<const PdfiumLibrary> library_;
    const PdfiumLibrary& pdfium_;
    const ParseLimits limits_;
    std::vector<PageRows> rows_;
    std::uint64_t hidden_ = 0;
    bool has_form_ = false;
};

bool recognises(std::string_view head) {
    return head.find("%PDF-") != std::string_view::npos;
}

std::unique_ptr<FormatReader> open(const ReaderOptions& options) {
    auto library = open_pdfium(options.pdfium_library);
    if (!library) return nullptr;
    return std::make_unique<PdfReader>(std::move(library), options.limits);
}

constexpr std::array<std::string_view, 1> kExtensions = {"pdf"};

}  // namespace

const Format& pdf_format() {
    static constexpr Format kFormat{.name = "pdf",
                                    .content_type = "application/pdf",
                                    .other_types = {},
                                    .extensions = kExtensions,
                                    .recognises = recognises,
                                    .open = open};
    return kFormat;
}

}  // namespace heddle::ingest::pdf
