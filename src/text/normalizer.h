// Normalizers: what is done to a text before it is cut into words. Each is what the part of the
// same name of the Hugging Face `tokenizers` library does. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/regex.h"
#include "text/unicode.h"
#include "text/working_text.h"

namespace heddle::text {

class Normalizer {
public:
    virtual ~Normalizer() = default;
    virtual void apply(WorkingText& text) const = 0;
};

using NormalizerPtr = std::unique_ptr<const Normalizer>;

struct BertNormalizerOptions {
    bool clean_text = true;            // drops control characters, every space becomes U+0020
    bool handle_chinese_chars = true;  // spaces around CJK ideographs
    bool strip_accents = true;
    bool lowercase = true;
};

[[nodiscard]] NormalizerPtr make_bert_normalizer(BertNormalizerOptions options);
[[nodiscard]] NormalizerPtr make_unicode_normalizer(NormalForm form);
[[nodiscard]] NormalizerPtr make_lowercase_normalizer();
[[nodiscard]] NormalizerPtr make_strip_accents_normalizer();
[[nodiscard]] NormalizerPtr make_strip_normalizer(bool left, bool right);
// Puts `prefix` before a text that is not empty.
[[nodiscard]] NormalizerPtr make_prepend_normalizer(std::string prefix);
// Every occurrence of `pattern`, which is not empty, becomes `content`.
[[nodiscard]] NormalizerPtr make_replace_normalizer(std::string pattern, std::string content);
// Every match of `pattern` becomes `content`.
[[nodiscard]] NormalizerPtr make_regex_normalizer(Regex pattern, std::string content);
// What machine translation models drop and read as a space.
[[nodiscard]] NormalizerPtr make_nmt_normalizer();
[[nodiscard]] NormalizerPtr make_normalizer_sequence(std::vector<NormalizerPtr> parts);

}  // namespace heddle::text
