#include "ingest/pdf/page_text.h"

#include <algorithm>
#include <cmath>

#include "ingest/pdf/words.h"

namespace heddle::ingest::pdf {
namespace {

// In multiples of the font size.
constexpr float kWideGap = 1.8F;        // as between columns and cells
constexpr float kNoGap = 0.12F;         // parts of one word
constexpr float kBaselineShift = 0.6F;  // super- and subscripts still belong to their line
constexpr float kOverlapMax = 0.5F;     // of a word with the one before it

// Whether the word goes on in the fragment's line.
bool continues(const Fragment& fragment, const Word& word) {
    if (fragment.hyphenated || fragment.rotated != word.rotated) return false;
    if (fragment.rotated) return !word.line_start;
    const float size = std::max(fragment.size, word.size);
    const float gap = word.box.left - fragment.box.right;
    return gap <= kWideGap * size && gap >= -kOverlapMax * size &&
           std::fabs(word.baseline - fragment.baseline) <= kBaselineShift * size;
}

Fragment begin(const Word& word) {
    return {.text = word.text,
            .box = word.box,
            .size = word.size,
            .baseline = word.baseline,
            .words = 1,
            .bold = word.bold,
            .rotated = word.rotated,
            .hyphenated = word.hyphenated};
}

void append(Fragment& fragment, const Word& word) {
    const float gap = word.box.left - fragment.box.right;
    // PDFium starts a line at every shift of the baseline, in the middle of a word too.
    const bool same_word = word.line_start && !fragment.rotated && gap < kNoGap * word.size;
    if (!same_word) {
        fragment.text += ' ';
        ++fragment.words;
    }
    fragment.text += word.text;
    fragment.hyphenated = word.hyphenated;
    if (word.size > fragment.size) {
        fragment.size = word.size;
        fragment.baseline = word.baseline;
    }
    fragment.bold = fragment.bold && word.bold;
    fragment.box = {std::min(fragment.box.left, word.box.left),
                    std::min(fragment.box.top, word.box.top),
                    std::max(fragment.box.right, word.box.right),
                    std::max(fragment.box.bottom, word.box.bottom)};
}

std::uint32_t letters_seen(const std::vector<Word>& words, Seen seen) {
    std::uint32_t letters = 0;
    for (const Word& word : words) {
        if (word.seen == seen) letters += count_letters(word.text);
    }
    return letters;
}

}  // namespace

PageText read_page(const PdfiumLibrary& pdfium, FpdfPage* page) {
    const PageWords source = read_words(pdfium, page);
    PageText out{.width = source.width, .height = source.height};
    Seen wanted = Seen::kYes;
    out.letters = letters_seen(source.words, Seen::kYes);
    if (out.letters < kPageLettersMin) {
        // The text layer under a scan.
        const std::uint32_t layer = letters_seen(source.words, Seen::kNoInk);
        if (layer >= kPageLettersMin) {
            wanted = Seen::kNoInk;
            out.letters = layer;
        }
    }
    for (const Word& word : source.words) {
        if (word.seen != wanted) {
            out.hidden += count_letters(word.text);
        } else if (!out.fragments.empty() && continues(out.fragments.back(), word)) {
            append(out.fragments.back(), word);
        } else {
            out.fragments.push_back(begin(word));
        }
    }
    return out;
}

}  // namespace heddle::ingest::pdf
