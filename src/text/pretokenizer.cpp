#include "text/pretokenizer.h"

#include <utility>

#include "text/split_pattern.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

void append_word(std::uint32_t begin, std::uint32_t end, std::vector<ByteRange>& words) {
    if (begin < end) words.push_back({begin, end});
}

class BertPreTokenizer final : public PreTokenizer {
public:
    void apply(PreTokenized& text) const override {
        std::vector<ByteRange> words;
        for (const ByteRange word : text.words) split(text.text.text(), word, words);
        text.words = std::move(words);
    }

private:
    static void split(std::string_view text, ByteRange word, std::vector<ByteRange>& words) {
        std::uint32_t begin = word.begin;
        for (std::uint32_t i = word.begin; i < word.end;) {
            const Utf8Character c = decode_utf8(text, i);
            const CharacterClass properties = class_of(c.code_point);
            const std::uint32_t next = i + c.length;
            const bool punctuation = properties.has(CharacterFlag::kBertPunctuation);
            if (punctuation || properties.is_space()) {
                append_word(begin, i, words);
                if (punctuation) append_word(i, next, words);
                begin = next;
            }
            i = next;
        }
        append_word(begin, word.end, words);
    }
};

// Replaces every word by those that `cut` appends for it.
template <class Cut>
void cut_words(PreTokenized& text, const Cut& cut) {
    std::vector<ByteRange> words;
    for (const ByteRange word : text.words) cut(std::string_view(text.text.text()), word, words);
    text.words = std::move(words);
}

class WhitespaceSplitPreTokenizer final : public PreTokenizer {
public:
    void apply(PreTokenized& text) const override {
        cut_words(text, [](std::string_view source, ByteRange word, std::vector<ByteRange>& words) {
            std::uint32_t begin = word.begin;
            for (std::uint32_t i = word.begin; i < word.end;) {
                const Utf8Character c = decode_utf8(source, i);
                const std::uint32_t next = i + c.length;
                if (class_of(c.code_point).is_space()) {
                    append_word(begin, i, words);
                    begin = next;
                }
                i = next;
            }
            append_word(begin, word.end, words);
        });
    }
};

class WhitespacePreTokenizer final : public PreTokenizer {
public:
    void apply(PreTokenized& text) const override {
        cut_words(text, [](std::string_view source, ByteRange word, std::vector<ByteRange>& words) {
            enum class Kind { kSpace, kWord, kOther };
            Kind kind = Kind::kSpace;
            std::uint32_t begin = word.begin;
            for (std::uint32_t i = word.begin; i < word.end;) {
                const Utf8Character c = decode_utf8(source, i);
                const CharacterClass properties = class_of(c.code_point);
                const Kind now = properties.has(CharacterFlag::kWord) ? Kind::kWord
                                 : properties.is_space()              ? Kind::kSpace
                                                                      : Kind::kOther;
                if (now != kind) {
                    if (kind != Kind::kSpace) append_word(begin, i, words);
                    begin = i;
                    kind = now;
                }
                i += c.length;
            }
            if (kind != Kind::kSpace) append_word(begin, word.end, words);
        });
    }
};

// Delimiters are the characters with a property.
class CharacterPreTokenizer final : public PreTokenizer {
public:
    CharacterPreTokenizer(CharacterFlag flag, DelimiterBehavior behavior)
        : flag_(flag), behavior_(behavior) {}

    void apply(PreTokenized& text) const override {
        cut_words(text,
                  [this](std::string_view source, ByteRange word, std::vector<ByteRange>& words) {
                      std::vector<Section> sections;
                      for (std::uint32_t i = word.begin; i < word.end;) {
                          const Utf8Character c = decode_utf8(source, i);
                          const std::uint32_t next = i + c.length;
                          const bool matched = class_of(c.code_point).has(flag_);
                          if (!matched && !sections.empty() && !sections.back().matched) {
                              sections.back().range.end = next;
                          } else {
                              sections.push_back({{i, next}, matched});
                          }
                          i = next;
                      }
                      append_sections(sections, behavior_, words);
                  });
    }

private:
    const CharacterFlag flag_;
    const DelimiterBehavior behavior_;
};

class FixedLengthPreTokenizer final : public PreTokenizer {
public:
    explicit FixedLengthPreTokenizer(std::size_t characters) : characters_(characters) {}

    void apply(PreTokenized& text) const override {
        cut_words(text,
                  [this](std::string_view source, ByteRange word, std::vector<ByteRange>& words) {
                      std::uint32_t begin = word.begin;
                      std::size_t count = 0;
                      for (std::uint32_t i = word.begin; i < word.end;) {
                          i += decode_utf8(source, i).length;
                          if (++count < characters_) continue;
                          append_word(begin, i, words);
                          begin = i;
                          count = 0;
                      }
                      append_word(begin, word.end, words);
                  });
    }

private:
    const std::size_t characters_;
};

void split_words(PreTokenized& text, const SplitPattern& pattern, DelimiterBehavior behavior,
                 bool inverted) {
    std::vector<Section> sections;
    cut_words(text, [&](std::string_view source, ByteRange word, std::vector<ByteRange>& words) {
        sections.clear();
        pattern.split(source, word, sections);
        if (inverted) {
            for (Section& section : sections) section.matched = !section.matched;
        }
        append_sections(sections, behavior, words);
    });
}

class SplitPreTokenizer final : public PreTokenizer {
public:
    SplitPreTokenizer(SplitPatternPtr pattern, DelimiterBehavior behavior, bool inverted)
        : pattern_(std::move(pattern)), behavior_(behavior), inverted_(inverted) {}
    void apply(PreTokenized& text) const override {
        split_words(text, *pattern_, behavior_, inverted_);
    }

private:
    const SplitPatternPtr pattern_;
    const DelimiterBehavior behavior_;
    const bool inverted_;
};

// Puts `prefix` before the words that `wants` it, and writes `replacement` for spaces unless it is
// empty. What lies between the words is dropped.
template <class Wants>
void rewrite_words(PreTokenized& text, std::string_view prefix, std::string_view replacement,
                   const Wants& wants) {
    Rewriter out(text.text);
    const std::string_view source = out.source();
    for (ByteRange& word : text.words) {
        const std::uint32_t begin = out.position();
        if (wants(word)) out.replace(word.begin, word.begin, prefix);
        std::size_t done = word.begin;
        while (!replacement.empty()) {
            const std::size_t space = source.substr(0, word.end).find(' ', done);
            if (space == source.npos) break;
            out.keep(done, space);
            out.replace(space, space + 1, replacement);
            done = space + 1;
        }
        out.keep(done, word.end);
        word = {begin, out.position()};
    }
    out.finish();
}

class ByteLevelPreTokenizer final : public PreTokenizer {
public:
    ByteLevelPreTokenizer(bool add_prefix_space, bool use_regex)
        : add_prefix_space_(add_prefix_space) {
        if (use_regex) pattern_ = make_regex_pattern(kGpt2Expression).value();
    }

    void apply(PreTokenized& text) const override {
        const std::string& source = text.text.text();
        if (add_prefix_space_) {
            rewrite_words(text, " ", "",
                          [&source](ByteRange word) { return source[word.begin] != ' '; });
        }
        if (pattern_) split_words(text, *pattern_, DelimiterBehavior::kIsolated, false);
    }

private:
    const bool add_prefix_space_;
    SplitPatternPtr pattern_;
};

class MetaspacePreTokenizer final : public PreTokenizer {
public:
    MetaspacePreTokenizer(std::string replacement, PrependScheme scheme, bool split)
        : replacement_(std::move(replacement)), scheme_(scheme) {
        if (split) pattern_ = make_literal_pattern(replacement_);
    }

    void apply(PreTokenized& text) const override {
        const std::string& source = text.text.text();
        const bool at_start = text.text.at_start();
        rewrite_words(text, replacement_, replacement_, [&](ByteRange word) {
            if (scheme_ == PrependScheme::kNever) return false;
            if (scheme_ == PrependScheme::kFirst && !(at_start && word.begin == 0)) return false;
            const std::string_view bytes = std::string_view(source).substr(word.begin, word.size());
            return !bytes.starts_with(' ') && !bytes.starts_with(replacement_);
        });
        if (pattern_) split_words(text, *pattern_, DelimiterBehavior::kMergedWithNext, false);
    }

private:
    const std::string replacement_;
    const PrependScheme scheme_;
    SplitPatternPtr pattern_;
};

class PreTokenizerSequence final : public PreTokenizer {
public:
    explicit PreTokenizerSequence(std::vector<PreTokenizerPtr> parts) : parts_(std::move(parts)) {}
    void apply(PreTokenized& text) const override {
        for (const PreTokenizerPtr& part : parts_) part->apply(text);
    }

private:
    const std::vector<PreTokenizerPtr> parts_;
};

}  // namespace

void append_sections(const std::vector<Section>& sections, DelimiterBehavior behavior,
                     std::vector<ByteRange>& words) {
    bool merges_next = false;  // the last word is a delimiter that waits for what follows
    bool previous_matched = false;
    bool first = true;
    for (const Section& section : sections) {
        const ByteRange range = section.range;
        const bool joins =
            !first &&
            ((behavior == DelimiterBehavior::kContiguous && section.matched == previous_matched) ||
             (behavior == DelimiterBehavior::kMergedWithPrevious && section.matched &&
              !previous_matched) ||
             (behavior == DelimiterBehavior::kMergedWithNext && merges_next && !section.matched));
        if (joins && !words.empty() && words.back().end == range.begin) {
            words.back().end = range.end;
        } else if (!(section.matched && behavior == DelimiterBehavior::kRemoved)) {
            append_word(range.begin, range.end, words);
        }
        merges_next = section.matched;
        previous_matched = section.matched;
        first = false;
    }
}

PreTokenizerPtr make_bert_pretokenizer() {
    return std::make_unique<BertPreTokenizer>();
}

PreTokenizerPtr make_whitespace_split_pretokenizer() {
    return std::make_unique<WhitespaceSplitPreTokenizer>();
}

PreTokenizerPtr make_whitespace_pretokenizer() {
    return std::make_unique<WhitespacePreTokenizer>();
}

PreTokenizerPtr make_digits_pretokenizer(bool individual) {
    return std::make_unique<CharacterPreTokenizer>(
        CharacterFlag::kNumeric,
        individual ? DelimiterBehavior::kIsolated : DelimiterBehavior::kContiguous);
}

PreTokenizerPtr make_punctuation_pretokenizer(DelimiterBehavior behavior) {
    return std::make_unique<CharacterPreTokenizer>(CharacterFlag::kBertPunctuation, behavior);
}

PreTokenizerPtr make_fixed_length_pretokenizer(std::size_t characters) {
    return std::make_unique<FixedLengthPreTokenizer>(characters);
}

PreTokenizerPtr make_split_pretokenizer(SplitPatternPtr pattern, DelimiterBehavior behavior,
                                        bool inverted) {
    return std::make_unique<SplitPreTokenizer>(std::move(pattern), behavior, inverted);
}

PreTokenizerPtr make_byte_level_pretokenizer(bool add_prefix_space, bool use_regex) {
    return std::make_unique<ByteLevelPreTokenizer>(add_prefix_space, use_regex);
}

PreTokenizerPtr make_metaspace_pretokenizer(std::string replacement, PrependScheme scheme,
                                            bool split) {
    return std::make_unique<MetaspacePreTokenizer>(std::move(replacement), scheme, split);
}

PreTokenizerPtr make_pretokenizer_sequence(std::vector<PreTokenizerPtr> parts) {
    return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

}  // namespace heddle::text
