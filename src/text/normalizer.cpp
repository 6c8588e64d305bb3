#include "text/normalizer.h"

#include <utility>

#include "text/normal_form.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

// Rewrites each code point by `map`, a function of it and the string that its replacement is
// appended to.
template <class Map>
void map_characters(WorkingText& text, const Map& map) {
    Rewriter out(text);
    const std::string& source = out.source();
    std::string replacement;
    std::size_t unchanged = 0;  // where the row of characters that stay as they are began
    for (std::size_t i = 0; i < source.size();) {
        const Utf8Character c = decode_utf8(source, i);
        replacement.clear();
        map(c.code_point, replacement);
        const std::size_t end = i + c.length;
        if (std::string_view(source).substr(i, c.length) != replacement) {
            out.keep(unchanged, i);
            out.replace(i, end, replacement);
            unchanged = end;
        }
        i = end;
    }
    out.keep(unchanged, source.size());
    out.finish();
}

void apply_normal_form(WorkingText& text, NormalForm form) {
    Rewriter out(text);
    NormalFormReader reader(out.source(), form);
    while (reader.next()) {
        const std::string_view before =
            std::string_view(out.source()).substr(reader.begin(), reader.end() - reader.begin());
        if (before == reader.text()) {
            out.keep(reader.begin(), reader.end());
        } else {
            out.replace(reader.begin(), reader.end(), reader.text());
        }
    }
    out.finish();
}

bool is_ascii(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return true;
}

// The blocks that BERT's own tokenizer calls Chinese: Japanese kana and Hangul are not among them.
bool is_bert_ideograph(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

class BertNormalizer final : public Normalizer {
public:
    explicit BertNormalizer(BertNormalizerOptions options) : options_(options) {}

    void apply(WorkingText& text) const override {
        if (options_.clean_text || options_.handle_chinese_chars) {
            map_characters(text, [this](char32_t c, std::string& out) { clean(c, out); });
        }
        if (options_.strip_accents) {
            if (!is_ascii(text.text())) apply_normal_form(text, NormalForm::kNfd);
        }
        if (options_.strip_accents || options_.lowercase) {
            map_characters(text, [this](char32_t c, std::string& out) { fold(c, out); });
        }
    }

private:
    void clean(char32_t c, std::string& out) const {
        if (options_.clean_text) {
            const bool is_break = c == '\t' || c == '\n' || c == '\r';
            const CharacterClass properties = class_of(c);
            if (!is_break && properties.has(CharacterFlag::kBertControl)) return;
            if (is_break || properties.is_space()) c = ' ';
        }
        if (options_.handle_chinese_chars && is_bert_ideograph(c)) {
            out.push_back(' ');
            append_utf8(out, c);
            out.push_back(' ');
        } else {
            append_utf8(out, c);
        }
    }

    void fold(char32_t c, std::string& out) const {
        if (options_.strip_accents && class_of(c).has(CharacterFlag::kBertMark)) return;
        if (options_.lowercase) {
            append_lower(out, c);
        } else {
            append_utf8(out, c);
        }
    }

    const BertNormalizerOptions options_;
};

class UnicodeNormalizer final : public Normalizer {
public:
    explicit UnicodeNormalizer(NormalForm form) : form_(form) {}
    void apply(WorkingText& text) const override {
        if (!is_ascii(text.text())) apply_normal_form(text, form_);
    }

private:
    const NormalForm form_;
};

class LowercaseNormalizer final : public Normalizer {
public:
    void apply(WorkingText& text) const override {
        map_characters(text, [](char32_t c, std::string& out) { append_lower(out, c); });
    }
};

class StripAccentsNormalizer final : public Normalizer {
public:
    void apply(WorkingText& text) const override {
        map_characters(text, [](char32_t c, std::string& out) {
            if (!class_of(c).has(CharacterFlag::kMark)) append_utf8(out, c);
        });
    }
};

class StripNormalizer final : public Normalizer {
public:
    StripNormalizer(bool left, bool right) : left_(left), right_(right) {}

    void apply(WorkingText& text) const override {
        const std::string& source = text.text();
        std::size_t begin = 0;
        std::size_t end = source.size();
        while (left_ && begin < end) {
            const Utf8Character c = decode_utf8(source, begin);
            if (!class_of(c.code_point).is_space()) break;
            begin += c.length;
        }
        while (right_ && begin < end) {
            const Utf8Character c = decode_utf8_before(source, end);
            if (!class_of(c.code_point).is_space()) break;
            end -= c.length;
        }
        if (begin == 0 && end == source.size()) return;
        Rewriter out(text);
        out.keep(begin, end);
        out.finish();
    }

private:
    const bool left_;
    const bool right_;
};

class PrependNormalizer final : public Normalizer {
public:
    explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}

    void apply(WorkingText& text) const override {
        if (text.text().empty()) return;
        Rewriter out(text);
        out.replace(0, 0, prefix_);
        out.keep(0, out.source().size());
        out.finish();
    }

private:
    const std::string prefix_;
};

class ReplaceNormalizer final : public Normalizer {
public:
    ReplaceNormalizer(std::string pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}

    void apply(WorkingText& text) const override {
        std::size_t found = text.text().find(pattern_);
        if (found == std::string::npos) return;
        Rewriter out(text);
        std::size_t kept = 0;
        for (; found != std::string::npos; found = out.source().find(pattern_, kept)) {
            out.keep(kept, found);
            kept = found + pattern_.size();
            out.replace(found, kept, content_);
        }
        out.keep(kept, out.source().size());
        out.finish();
    }

private:
    const std::string pattern_;
    const std::string content_;
};

class RegexNormalizer final : public Normalizer {
public:
    RegexNormalizer(Regex pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}

    void apply(WorkingText& text) const override {
        const std::vector<ByteRange> matches = pattern_.find_all(text.text());
        if (matches.empty()) return;
        Rewriter out(text);
        std::size_t kept = 0;
        for (const ByteRange match : matches) {
            out.keep(kept, match.begin);
            out.replace(match.begin, match.end, content_);
            kept = match.end;
        }
        out.keep(kept, out.source().size());
        out.finish();
    }

private:
    const Regex pattern_;
    const std::string content_;
};

class NmtNormalizer final : public Normalizer {
public:
    void apply(WorkingText& text) const override {
        map_characters(text, [](char32_t c, std::string& out) {
            const bool dropped = (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) ||
                                 c == 0x7F || c == 0x8F || c == 0x9F;
            if (dropped) return;
            const bool space = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                               (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
                               c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
            append_utf8(out, space ? U' ' : c);
        });
    }
};

class NormalizerSequence final : public Normalizer {
public:
    explicit NormalizerSequence(std::vector<NormalizerPtr> parts) : parts_(std::move(parts)) {}
    void apply(WorkingText& text) const override {
        for (const NormalizerPtr& part : parts_) part->apply(text);
    }

private:
    const std::vector<NormalizerPtr> parts_;
};

}  // namespace

NormalizerPtr make_bert_normalizer(BertNormalizerOptions options) {
    return std::make_unique<BertNormalizer>(options);
}

NormalizerPtr make_unicode_normalizer(NormalForm form) {
    return std::make_unique<UnicodeNormalizer>(form);
}

NormalizerPtr make_lowercase_normalizer() {
    return std::make_unique<LowercaseNormalizer>();
}

NormalizerPtr make_strip_accents_normalizer() {
    return std::make_unique<StripAccentsNormalizer>();
}

NormalizerPtr make_strip_normalizer(bool left, bool right) {
    return std::make_unique<StripNormalizer>(left, right);
}

NormalizerPtr make_prepend_normalizer(std::string prefix) {
    return std::make_unique<PrependNormalizer>(std::move(prefix));
}

NormalizerPtr make_replace_normalizer(std::string pattern, std::string content) {
    return std::make_unique<ReplaceNormalizer>(std::move(pattern), std::move(content));
}

NormalizerPtr make_regex_normalizer(Regex pattern, std::string content) {
    return std::make_unique<RegexNormalizer>(std::move(pattern), std::move(content));
}

NormalizerPtr make_nmt_normalizer() {
    return std::make_unique<NmtNormalizer>();
}

NormalizerPtr make_normalizer_sequence(std::vector<NormalizerPtr> parts) {
    return std::make_unique<NormalizerSequence>(std::move(parts));
}

}  // namespace heddle::text
