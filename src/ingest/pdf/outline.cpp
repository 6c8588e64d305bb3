#include "ingest/pdf/outline.h"

#include <algorithm>
#include <unordered_set>

#include "ingest/clean.h"
#include "text/utf8.h"

namespace heddle::ingest::pdf {
namespace {

constexpr std::uint8_t kLevelMax = 6;
constexpr unsigned long kTitleBytesMax = 4096;
constexpr std::size_t kShownTitleBytesMax = 300;

// PDFium's text: UTF-16LE with a terminator.
std::string from_utf16(std::u16string_view units) {
    std::string out;
    for (std::size_t i = 0; i < units.size() && units[i] != 0; ++i) {
        char32_t c = units[i];
        const bool pair = c >= 0xD800 && c < 0xDC00 && i + 1 < units.size() &&
                          units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000;
        if (pair) {
            c = 0x10000 + ((c - 0xD800) << 10) + (units[i + 1] - 0xDC00U);
            ++i;
        }
        append_clean(out, c);
    }
    return clean_line(out);
}

template <class Get>
std::string read_text(Get get) {
    const unsigned long bytes = get(nullptr, 0UL);
    if (bytes < 2 || bytes > kTitleBytesMax) return {};
    std::u16string units(bytes / 2, u'\0');
    get(units.data(), bytes);
    std::string text = from_utf16(units);
    text.resize(text::floor_utf8(text, kShownTitleBytesMax));
    return text;
}

class OutlineReader {
public:
    OutlineReader(const PdfiumLibrary& pdfium, FpdfDocument* document, std::size_t entries_max)
        : pdfium_(pdfium), document_(document), entries_max_(entries_max) {}

    std::vector<OutlineEntry> read() {
        children(nullptr, 1);
        return std::move(entries_);
    }

private:
    // Recursion is bounded by the levels that we keep.
    void children(FpdfBookmark* parent, std::uint8_t level) {
        FpdfBookmark* mark = pdfium_.first_child(document_, parent);
        while (mark != nullptr && seen_.insert(mark).second && entries_.size() < entries_max_) {
            add(mark, level);
            if (level < kLevelMax) children(mark, static_cast<std::uint8_t>(level + 1));
            mark = pdfium_.next_sibling(document_, mark);
        }
    }

    void add(FpdfBookmark* mark, std::uint8_t level) {
        FpdfDestination* destination = pdfium_.bookmark_destination(document_, mark);
        if (destination == nullptr) return;
        const int page = pdfium_.destination_page(document_, destination);
        const auto get = [&](void* buffer, unsigned long bytes) {
            return pdfium_.bookmark_title(mark, buffer, bytes);
        };
        std::string title = read_text(get);
        if (page < 0 || title.empty()) return;
        entries_.push_back({std::move(title), level, static_cast<std::uint32_t>(page) + 1});
    }

    const PdfiumLibrary& pdfium_;
    FpdfDocument* document_;
    const std::size_t entries_max_;
    std::unordered_set<FpdfBookmark*> seen_;
    std::vector<OutlineEntry> entries_;
};

}  // namespace

std::vector<OutlineEntry> read_outline(const PdfiumLibrary& pdfium, FpdfDocument* document,
                                       std::size_t entries_max) {
    return OutlineReader(pdfium, document, entries_max).read();
}

std::string read_title(const PdfiumLibrary& pdfium, FpdfDocument* document) {
    const auto get = [&](void* buffer, unsigned long bytes) {
        return pdfium.meta_text(document, "Title", buffer, bytes);
    };
    std::string title = read_text(get);
    // What word processors and converters write on their own tells the reader nothing.
    const bool worthless = title.starts_with("Microsoft Word - ") || title == "untitled" ||
                           title == "Untitled" || title.ends_with(".dvi");
    return worthless ? std::string() : title;
}

}  // namespace heddle::ingest::pdf
