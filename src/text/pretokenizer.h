// Pre-tokenizers: cut a normalized text into the words that the model reads one by one. Each is
// what the part of the same name of the Hugging Face `tokenizers` library does. Immutable; any
// thread.
#pragma once

#include <memory>
#include <vector>

#include "text/working_text.h"

namespace heddle::text {

// A text and the words found in it so far: disjoint, rising, none empty. Bytes outside all words
// are not read by the model.
struct PreTokenized {
    WorkingText text;
    std::vector<ByteRange> words;
};

class PreTokenizer {
public:
    virtual ~PreTokenizer() = default;
    virtual void apply(PreTokenized& text) const = 0;
};

using PreTokenizerPtr = std::unique_ptr<const PreTokenizer>;

// What becomes of the delimiters that a text is split at.
enum class DelimiterBehavior {
    kRemoved,
    kIsolated,    // each a word of its own
    kContiguous,  // neighbours together one word
    kMergedWithPrevious,
    kMergedWithNext,
};

[[nodiscard]] PreTokenizerPtr make_bert_pretokenizer();
[[nodiscard]] PreTokenizerPtr make_whitespace_split_pretokenizer();
[[nodiscard]] PreTokenizerPtr make_pretokenizer_sequence(std::vector<PreTokenizerPtr> parts);

// A part of a text, and whether the pattern split at matched it.
struct Section {
    ByteRange range;
    bool matched = false;
};

// Appends the words that sections, which cover a word without gaps, make under `behavior`.
void append_sections(const std::vector<Section>& sections, DelimiterBehavior behavior,
                     std::vector<ByteRange>& words);

}  // namespace heddle::text
