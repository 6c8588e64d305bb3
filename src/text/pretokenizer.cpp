#include "text/pretokenizer.h"

#include <utility>

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

class WhitespaceSplitPreTokenizer final : public PreTokenizer {
public:
    void apply(PreTokenized& text) const override {
        std::vector<ByteRange> words;
        const std::string& source = text.text.text();
        for (const ByteRange word : text.words) {
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
        }
        text.words = std::move(words);
    }
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

PreTokenizerPtr make_pretokenizer_sequence(std::vector<PreTokenizerPtr> parts) {
    return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

}  // namespace heddle::text
