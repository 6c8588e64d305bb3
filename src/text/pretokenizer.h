// Pre-tokenizers: cut a normalized text into the words that the model reads one by one. Each is
// what the part of the same name of the Hugging Face `tokenizers` library does. Immutable; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
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
enum class DelimiterBehavior : std::uint8_t {
    kRemoved,
    kIsolated,    // each a word of its own
    kContiguous,  // neighbours together one word
    kMergedWithPrevious,
    kMergedWithNext,
};

// A part of a text, and whether the pattern split at matched it.
struct Section {
    ByteRange range;
    bool matched = false;
};

class SplitPattern;
using SplitPatternPtr = std::unique_ptr<const SplitPattern>;

[[nodiscard]] PreTokenizerPtr make_bert_pretokenizer();
[[nodiscard]] PreTokenizerPtr make_whitespace_split_pretokenizer();
// Words of \w and words of other characters that are not white space.
[[nodiscard]] PreTokenizerPtr make_whitespace_pretokenizer();
[[nodiscard]] PreTokenizerPtr make_digits_pretokenizer(bool individual);
[[nodiscard]] PreTokenizerPtr make_punctuation_pretokenizer(DelimiterBehavior behavior);
[[nodiscard]] PreTokenizerPtr make_fixed_length_pretokenizer(std::size_t characters);
// With `inverted` what the pattern does not match are the delimiters.
[[nodiscard]] PreTokenizerPtr make_split_pretokenizer(SplitPatternPtr pattern,
                                                      DelimiterBehavior behavior, bool inverted);
// The text side of byte-level BPE; that words are bytes is the model's affair.
[[nodiscard]] PreTokenizerPtr make_byte_level_pretokenizer(bool add_prefix_space, bool use_regex);

// Whether a metaspace goes before a word that does not begin with one.
enum class PrependScheme { kNever, kFirst, kAlways };

// Writes `replacement` (U+2581) for spaces and cuts before each.
[[nodiscard]] PreTokenizerPtr make_metaspace_pretokenizer(std::string replacement,
                                                          PrependScheme scheme, bool split);
[[nodiscard]] PreTokenizerPtr make_pretokenizer_sequence(std::vector<PreTokenizerPtr> parts);

// Appends the words that sections, which cover a word without gaps, make under `behavior`.
void append_sections(const std::vector<Section>& sections, DelimiterBehavior behavior,
                     std::vector<ByteRange>& words);

}  // namespace heddle::text
