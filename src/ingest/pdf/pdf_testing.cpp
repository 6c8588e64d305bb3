#include "ingest/pdf/pdf_testing.h"

#include <fmt/format.h>

namespace heddle::ingest::pdf {
namespace {

constexpr std::size_t kCatalog = 1;
constexpr std::size_t kPageTree = 2;
constexpr std::size_t kRegular = 3;
constexpr std::size_t kBold = 4;
constexpr std::size_t kInfo = 5;
constexpr std::size_t kOutline = 6;
constexpr std::size_t kFirstFree = 7;

class Writer {
public:
    void object(std::size_t number, std::string_view body) {
        if (offsets_.size() <= number) offsets_.resize(number + 1);
        offsets_[number] = out_.size();
        out_ += fmt::format("{} 0 obj\n{}\nendobj\n", number, body);
    }
    std::string finish() {
        const std::size_t xref = out_.size();
        out_ += fmt::format("xref\n0 {}\n0000000000 65535 f \n", offsets_.size());
        for (std::size_t i = 1; i < offsets_.size(); ++i)
            out_ += fmt::format("{:010} 00000 n \n", offsets_[i]);
        out_ += fmt::format(
            "trailer\n<< /Size {} /Root {} 0 R /Info {} 0 R >>\nstartxref\n{}\n"
            "%%EOF\n",
            offsets_.size(), kCatalog, kInfo, xref);
        return std::move(out_);
    }

private:
    std::string out_ = "%PDF-1.7\n";
    std::vector<std::size_t> offsets_;
};

std::size_t page_object(std::size_t index) {
    return kFirstFree + 2 * index;
}

void write_pages(Writer& writer, const std::vector<TestPage>& pages) {
    std::string kids;
    for (std::size_t i = 0; i < pages.size(); ++i) {
        const TestPage& page = pages[i];
        const std::size_t number = page_object(i);
        kids += fmt::format("{} 0 R ", number);
        writer.object(number, fmt::format("<< /Type /Page /Parent {} 0 R /MediaBox [0 0 {} {}] "
                                          "/Resources << /Font << /F1 {} 0 R /F2 {} 0 R >> >> "
                                          "/Contents {} 0 R {} >>",
                                          kPageTree, page.width, page.height, kRegular, kBold,
                                          number + 1, page.extra));
        writer.object(number + 1, fmt::format("<< /Length {} >>\nstream\n{}\nendstream",
                                              page.content.size(), page.content));
    }
    writer.object(kPageTree,
                  fmt::format("<< /Type /Pages /Kids [{}] /Count {} >>", kids, pages.size()));
}

void write_outline(Writer& writer, const TestPdf& pdf) {
    const std::size_t first = page_object(pdf.pages.size());
    if (pdf.outline.empty()) {
        writer.object(kOutline, "<< /Type /Outlines >>");
        return;
    }
    const std::size_t last = first + pdf.outline.size() - 1;
    writer.object(kOutline,
                  fmt::format("<< /Type /Outlines /First {} 0 R /Last {} 0 R /Count {} >>", first,
                              last, pdf.outline.size()));
    for (std::size_t i = 0; i < pdf.outline.size(); ++i) {
        const std::string next = first + i < last ? fmt::format("/Next {} 0 R", first + i + 1) : "";
        writer.object(
            first + i,
            fmt::format("<< /Title ({}) /Parent {} 0 R /Dest [{} 0 R /Fit] {} >>",
                        pdf.outline[i].title, kOutline, page_object(pdf.outline[i].page), next));
    }
}

}  // namespace

std::string write_pdf(const TestPdf& pdf) {
    Writer writer;
    writer.object(kCatalog, fmt::format("<< /Type /Catalog /Pages {} 0 R /Outlines {} 0 R >>",
                                        kPageTree, kOutline));
    for (const auto& [number, font] :
         {std::pair(kRegular, "Helvetica"), std::pair(kBold, "Helvetica-Bold")})
        writer.object(number, fmt::format("<< /Type /Font /Subtype /Type1 /BaseFont /{} "
                                          "/Encoding /WinAnsiEncoding >>",
                                          font));
    writer.object(kInfo, fmt::format("<< /Title ({}) >>", pdf.title));
    write_pages(writer, pdf.pages);
    write_outline(writer, pdf);
    return writer.finish();
}

std::string show(float x, float y, float size, std::string_view text, std::string_view font) {
    return fmt::format("BT /{} {} Tf 1 0 0 1 {} {} Tm ({}) Tj ET\n", font, size, x, y, text);
}

}  // namespace heddle::ingest::pdf
