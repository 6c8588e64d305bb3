#include "ingest/pdf/words.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>

#include "ingest/clean.h"

namespace heddle::ingest::pdf {
namespace {

constexpr float kReadableSizeMin = 1.0F;  // points; smaller text is hidden text
constexpr float kAscent = 0.78F;          // of the font size, above the baseline
constexpr float kDescent = 0.22F;
constexpr char32_t kLineHyphen = 0x02;         // PDFium's mark for a hyphen at the end of a line
constexpr char32_t kLineHyphenOther = 0xFFFE;  // the same in older text
constexpr std::size_t kFontNameBytes = 128;
constexpr std::size_t kWordBytesMax = 1024;

// From PDFium's page coordinates (origin at the lower left, before the page is turned) to those of
// the page as it is shown (origin at the upper left).
class Shown {
public:
    Shown(const PdfiumLibrary& pdfium, FpdfPage* page) : turns_(pdfium.page_rotation(page) & 3) {
        if (pdfium.page_bounding_box(page, &area_) == 0)
            area_ = {0, pdfium.page_height(page), pdfium.page_width(page), 0};
    }
    struct Point {
        float x, y;
    };
    [[nodiscard]] Point point(double x, double y) const {
        const auto px = static_cast<float>(x);
        const auto py = static_cast<float>(y);
        switch (turns_) {
            case 1:
                return {py - area_.bottom, px - area_.left};
            case 2:
                return {area_.right - px, py - area_.bottom};
            case 3:
                return {area_.top - py, area_.right - px};
            default:
                return {px - area_.left, area_.top - py};
        }
    }
    [[nodiscard]] float width() const {
        return turns_ % 2 == 0 ? area_.right - area_.left : area_.top - area_.bottom;
    }
    [[nodiscard]] float height() const {
        return turns_ % 2 == 0 ? area_.top - area_.bottom : area_.right - area_.left;
    }
    // Whether a baseline in direction (dx, dy) runs from left to right.
    [[nodiscard]] bool horizontal(float dx, float dy) const {
        const float along[4] = {dx, dy, -dx, -dy};
        const float across[4] = {dy, dx, dy, dx};
        return along[turns_] > 0 && along[turns_] >= std::fabs(across[turns_]);
    }

private:
    int turns_;
    FpdfRect area_{};
};

// Without a call: every character of a document comes by here.
bool is_ascii_alnum(unsigned char c) {
    return static_cast<unsigned char>((c | 0x20) - 'a') < 26 ||
           static_cast<unsigned char>(c - '0') < 10;
}

bool contains_any_of(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) {
        return text.find(part) != std::string_view::npos;
    });
}

class WordReader {
public:
    WordReader(const PdfiumLibrary& pdfium, FpdfPage* page, FpdfTextPage* text)
        : pdfium_(pdfium), text_(text), shown_(pdfium, page), visibility_(pdfium, page) {
        page_.width = shown_.width();
        page_.height = shown_.height();
    }

    PageWords read() {
        const int count = pdfium_.text_count(text_);
        for (int i = 0; i < count; ++i) take(i, pdfium_.text_unicode(text_, i));
        end_word();
        return std::move(page_);
    }

private:
    // Of a text object, asked for once for each run of its characters.
    struct Style {
        float size = 0;
        bool bold = false;
        bool rotated = false;
        Seen seen = Seen::kYes;
    };

    void take(int index, char32_t c) {
        if (c == kLineHyphen || c == kLineHyphenOther) {
            word_.hyphenated = !word_.text.empty();
            end_word();
            line_start_ = true;
        } else if (c == '\r' || c == '\n') {
            end_word();
            line_start_ = true;
        } else {
            add(index, c);
        }
    }

    void add(int index, char32_t c) {
        const std::size_t before = word_.text.size();
        append_clean(word_.text, c);
        if (word_.text.size() == before) return;
        if (word_.text.back() == ' ') {
            word_.text.pop_back();
            end_word();
            return;
        }
        if (before == 0) first_ = index;
        last_ = index;
        if (word_.text.size() >= kWordBytesMax) end_word();
    }

    void end_word() {
        if (word_.text.empty()) {
            word_ = {};
            return;
        }
        place();
        word_.line_start = line_start_;
        line_start_ = false;
        page_.words.push_back(std::move(word_));
        word_ = {};
    }

    void place() {
        const Style& style = style_of(first_);
        word_.size = style.size;
        word_.bold = style.bold;
        word_.rotated = style.rotated;
        word_.seen = style.seen;
        const Box first = box_of(first_);
        const Box last = last_ == first_ ? first : box_of(last_);
        word_.box = {std::min(first.left, last.left), std::min(first.top, last.top),
                     std::max(first.right, last.right), std::max(first.bottom, last.bottom)};
        double x = 0;
        double y = 0;
        pdfium_.text_origin(text_, first_, &x, &y);
        word_.baseline = shown_.point(x, y).y;
        if (!word_.rotated) {
            word_.box.top = word_.baseline - kAscent * word_.size;
            word_.box.bottom = word_.baseline + kDescent * word_.size;
        }
        const bool outside = word_.box.right < 0 || word_.box.left > page_.width ||
                             word_.box.bottom < 0 || word_.box.top > page_.height;
        if (outside || word_.size < kReadableSizeMin) word_.seen = Seen::kNo;
    }

    [[nodiscard]] Box box_of(int index) const {
        double left = 0;
        double right = 0;
        double bottom = 0;
        double top = 0;
        pdfium_.text_box(text_, index, &left, &right, &bottom, &top);
        const auto a = shown_.point(left, top);
        const auto b = shown_.point(right, bottom);
        return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
    }

    const Style& style_of(int index) {
        FpdfObject* object = pdfium_.text_object(text_, index);
        if (object == object_ && object != nullptr) return style_;
        object_ = object;
        FpdfMatrix matrix{1, 0, 0, 1, 0, 0};
        pdfium_.text_matrix(text_, index, &matrix);
        const auto size = static_cast<float>(pdfium_.text_font_size(text_, index));
        style_.size = std::fabs(size) * std::hypot(matrix.c, matrix.d);
        style_.rotated = !shown_.horizontal(matrix.a, matrix.b);
        style_.bold = is_bold(index);
        style_.seen = Seen::kYes;
        if (object != nullptr) {
            const Visibility visibility = visibility_.of(object);
            if (visibility == Visibility::kNoInk) style_.seen = Seen::kNoInk;
            if (visibility == Visibility::kWhite) style_.seen = Seen::kNo;
        }
        return style_;
    }

    // By the font's name: weights are rarely told and often wrong.
    [[nodiscard]] bool is_bold(int index) const {
        char name[kFontNameBytes] = {};
        int flags = 0;
        const unsigned long bytes = pdfium_.text_font_name(text_, index, name, sizeof name, &flags);
        if (bytes <= 1 || bytes > sizeof name) return false;
        return contains_any_of(std::string_view(name, bytes - 1),
                               {"Bold", "bold", "BOLD", "Black", "Heavy", "CMBX", "SFBX", "-Semi"});
    }

    const PdfiumLibrary& pdfium_;
    FpdfTextPage* text_;
    const Shown shown_;
    PageVisibility visibility_;
    PageWords page_;
    Word word_;
    int first_ = 0;
    int last_ = 0;
    bool line_start_ = true;
    FpdfObject* object_ = nullptr;
    Style style_;
};

}  // namespace

PageWords read_words(const PdfiumLibrary& pdfium, FpdfPage* page) {
    const std::unique_ptr<FpdfTextPage, void (*)(FpdfTextPage*)> text(pdfium.load_text(page),
                                                                      pdfium.close_text);
    if (!text) return {.width = pdfium.page_width(page), .height = pdfium.page_height(page)};
    return WordReader(pdfium, page, text.get()).read();
}

std::uint32_t count_letters(std::string_view text) {
    std::uint32_t letters = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        // One for each character outside ASCII: its first byte.
        if (byte >= 0xC0 || is_ascii_alnum(byte)) ++letters;
    }
    return letters;
}

}  // namespace heddle::ingest::pdf
