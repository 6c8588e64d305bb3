// Patterns that texts are cut by: literal strings, the well-known expressions of language models
// as hand-written matchers (ten times as fast as a regular expression engine), and all others by
// PCRE2. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/pretokenizer.h"

namespace heddle::text {

class SplitPattern {
public:
    virtual ~SplitPattern() = default;
    // Appends sections that cover `word` of `text` without gaps. Nothing outside of the word is
    // looked at.
    virtual void split(std::string_view text, ByteRange word,
                       std::vector<Section>& sections) const = 0;
};

[[nodiscard]] SplitPatternPtr make_literal_pattern(std::string literal);
// One of the well-known expressions, written exactly so, or any other.
[[nodiscard]] Result<SplitPatternPtr> make_regex_pattern(std::string_view expression);

// The expression of GPT-2, which the ByteLevel pre-tokenizer has built in.
inline constexpr std::string_view kGpt2Expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// Of GPT-4 (cl100k) and Llama 3.
inline constexpr std::string_view kLlama3Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Of Qwen 2 and its successors.
inline constexpr std::string_view kQwen2Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Of GPT-4o (o200k).
inline constexpr std::string_view kO200kExpression =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+)"
    R"(|\s+(?!\S)|\s+)";

}  // namespace heddle::text
