#include "text/normal_form.h"

#include <algorithm>
#include <array>
#include <utility>

#include <utf8proc.h>

#include "base/check.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

// Code points whose decomposition is younger than the Unicode 12 data of `tokenizers`.
struct Range {
    char32_t first, last;
};
constexpr std::array kLeftAlone = {
    Range{0x32FF, 0x32FF},   Range{0xA7F2, 0xA7F4},   Range{0xAB69, 0xAB69},
    Range{0x10781, 0x107BA}, Range{0x11938, 0x11938}, Range{0x1E030, 0x1E06D},
    Range{0x1F16C, 0x1F16C}, Range{0x1FBF0, 0x1FBF9},
};

constexpr std::size_t kLongestDecomposition = 18;  // U+FDFA

int combining_class(char32_t code_point) {
    return utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class;
}

// Whether a starter may be the second half of a composition.
bool composes_backwards(char32_t code_point) {
    if (code_point >= 0x1161 && code_point <= 0x1175) return true;  // Hangul vowels
    if (code_point >= 0x11A8 && code_point <= 0x11C2) return true;  // Hangul finals
    const auto index = utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->comb_index;
    return index != UINT16_MAX && (index & 0x8000) != 0;
}

}  // namespace

NormalFormReader::NormalFormReader(std::string_view text, NormalForm form)
    : source_(text),
      compatible_(form == NormalForm::kNfkc || form == NormalForm::kNfkd),
      composed_(form == NormalForm::kNfc || form == NormalForm::kNfkc) {}

// ASCII is in every normal form; its last character may compose with what follows it.
bool NormalFormReader::take_ascii() {
    std::size_t end = end_;
    while (end < source_.size() && static_cast<unsigned char>(source_[end]) < 0x80) ++end;
    if (end < source_.size() && end > end_) --end;
    if (end == end_) return false;
    begin_ = end_;
    end_ = end;
    normal_.assign(source_.substr(begin_, end_ - begin_));
    return true;
}

bool NormalFormReader::next() {
    if (end_ == source_.size()) return false;
    if (take_ascii()) return true;
    begin_ = end_;
    scalars_.clear();
    do {
        const Utf8Character c = decode_utf8(source_, end_);
        if (end_ != begin_ && starts_segment(c.code_point)) break;
        decompose(c.code_point, scalars_);
        end_ += c.length;
    } while (end_ < source_.size());
    order();
    compose();
    normal_.clear();
    for (const Scalar& scalar : scalars_) append_utf8(normal_, scalar.code_point);
    return true;
}

bool NormalFormReader::starts_segment(char32_t code_point) const {
    if (code_point < 0x80) return true;
    std::vector<Scalar> parts;
    decompose(code_point, parts);
    const Scalar& first = parts.front();
    return first.combining_class == 0 && !(composed_ && composes_backwards(first.code_point));
}

void NormalFormReader::decompose(char32_t code_point, std::vector<Scalar>& out) const {
    const bool left_alone = std::ranges::any_of(kLeftAlone, [code_point](const Range& range) {
        return code_point >= range.first && code_point <= range.last;
    });
    if (left_alone) {
        out.push_back({code_point, combining_class(code_point), out.size()});
        return;
    }
    std::array<utf8proc_int32_t, kLongestDecomposition> parts{};
    const int options = UTF8PROC_DECOMPOSE | (compatible_ ? UTF8PROC_COMPAT : 0);
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), parts.data(),
                                parts.size(), static_cast<utf8proc_option_t>(options), nullptr);
    HEDDLE_CHECK(count >= 0 && static_cast<std::size_t>(count) <= parts.size(),
                 "a code point decomposes into at most 18");
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
        const auto part = static_cast<char32_t>(parts[static_cast<std::size_t>(i)]);
        out.push_back({part, combining_class(part), out.size()});
    }
}

// Canonical ordering: marks between two starters by combining class, equal ones as they stand.
// A sort and not the usual exchange of neighbours, which a long row of marks makes slow.
void NormalFormReader::order() {
    const auto is_starter = [](const Scalar& s) { return s.combining_class == 0; };
    const auto before = [](const Scalar& a, const Scalar& b) {
        return std::pair(a.combining_class, a.place) < std::pair(b.combining_class, b.place);
    };
    for (auto from = scalars_.begin(); from != scalars_.end();) {
        from = std::find_if_not(from, scalars_.end(), is_starter);
        const auto to = std::find_if(from, scalars_.end(), is_starter);
        std::sort(from, to, before);
        from = to;
    }
}

void NormalFormReader::compose() {
    if (!composed_ || scalars_.size() < 2) return;
    std::vector<utf8proc_int32_t> points;
    for (const Scalar& s : scalars_) points.push_back(static_cast<utf8proc_int32_t>(s.code_point));
    const utf8proc_ssize_t count = utf8proc_normalize_utf32(
        points.data(), static_cast<utf8proc_ssize_t>(points.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    HEDDLE_CHECK(count >= 0, "composing well-formed text does not fail");
    scalars_.clear();
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
        scalars_.push_back({static_cast<char32_t>(points[static_cast<std::size_t>(i)]), 0, 0});
    }
}

}  // namespace heddle::text
